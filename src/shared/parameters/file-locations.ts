/** Files of the running server. */
import { file, text } from './kinds.js';

export const fileLocations = {
  pid_file_name: file('/var/run/pgpool/pgpool.pid', { change: 'start', actedOn: true, meaning: 'file that holds the process id' }),
  work_dir: text('/tmp', { change: 'start', actedOn: true, meaning: 'directory of pgpool_status' }),
};
