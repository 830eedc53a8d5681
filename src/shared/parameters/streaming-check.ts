/** Replication delay. */
import { bool, int, int64, password, text } from './kinds.js';

export const streamingCheck = {
  sr_check_period: int(10, { change: 'reload', actedOn: true, unit: 's', meaning: 'time between two checks of the delay; 0 is no checks' }),
  sr_check_user: text('', { change: 'reload', actedOn: true, meaning: 'user that looks for the primary and checks the delay' }),
  sr_check_password: password({ change: 'reload', actedOn: true, meaning: 'its password; empty looks into pool_passwd' }),
  sr_check_database: text('postgres', { change: 'reload', actedOn: true, meaning: 'database for it' }),
  delay_threshold: int64(0, { change: 'reload', actedOn: true, unit: 'B', meaning: 'a standby further behind than this gets no reads; 0 is no limit' }),
  delay_threshold_by_time: int(0, { change: 'reload', actedOn: true, unit: 'ms', meaning: 'the same by time; a standby gets no reads when it is over either' }),
  prefer_lower_delay_standby: bool(false, { change: 'reload', actedOn: true, meaning: 'instead of the primary take the standby that is least behind' }),
  replication_delay_source_cmd: text('', { change: 'reload', actedOn: true, meaning: 'program that prints the delay of each standby in ms' }),
  replication_delay_source_timeout: int(10, { change: 'reload', actedOn: true, min: 1, max: 3600, meaning: 'seconds that program may take' }),
};
