/** Online recovery. */
import { int, password, text } from './kinds.js';

export const recovery = {
  recovery_user: text('', { change: 'reload', meaning: 'superuser that runs the recovery functions' }),
  recovery_password: password({ change: 'reload', meaning: 'its password; empty looks into pool_passwd' }),
  recovery_database: text('postgres', { change: 'reload', meaning: 'database that holds the recovery functions' }),
  recovery_1st_stage_command: text('', { change: 'reload', meaning: 'script in the data directory, first stage' }),
  recovery_2nd_stage_command: text('', { change: 'reload', meaning: 'script in the data directory, second stage (replication modes)' }),
  recovery_timeout: int(90, { change: 'reload', actedOn: true, unit: 's', meaning: 'how long to wait for clients to leave and for the server to come up' }),
  client_idle_limit_in_recovery: int(0, { change: 'session', unit: 's', min: -1, meaning: 'second stage: disconnect clients silent this long; -1 is at once' }),
};
