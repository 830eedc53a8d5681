/** Health checks. A key without a node number is the default for every node; with one it is for that node. */
import { bool, int, password, text } from './kinds.js';

export const healthCheckNode = {
  health_check_period: int(0, { change: 'reload', actedOn: true, unit: 's', meaning: 'time between two checks of a node; 0 is no checks' }),
  health_check_timeout: int(20, { change: 'reload', actedOn: true, unit: 's', meaning: 'time after which an attempt is given up; 0 leaves it to TCP' }),
  health_check_user: text('', { change: 'reload', actedOn: true, meaning: 'user of the checks' }),
  health_check_password: password({ change: 'reload', actedOn: true, meaning: 'its password; empty looks into pool_passwd' }),
  health_check_database: text('postgres', { change: 'reload', actedOn: true, meaning: 'database of the checks' }),
  health_check_max_retries: int(0, { change: 'reload', actedOn: true, meaning: 'further attempts before a node counts as down' }),
  health_check_retry_delay: int(1, { change: 'reload', actedOn: true, unit: 's', meaning: 'time between two attempts' }),
  connect_timeout: int(10_000, { change: 'reload', actedOn: true, unit: 'ms', meaning: 'time a connection to a server may take; 0 is no limit' }),
};

export const healthCheck = {
  ...healthCheckNode,
  health_check_test: bool(false, { change: 'start', meaning: 'testing only: a file may say that nodes are down' }),
};
