/** Connection pooling and the lives of children. */
import { bool, int, list } from './kinds.js';

export const pooling = {
  connection_cache: bool(true, { change: 'start', actedOn: true, meaning: 'keep connections to the servers when a client leaves' }),
  max_pool: int(4, { change: 'start', actedOn: true, meaning: 'pooled user and database pairs per child' }),
  child_life_time: int(300, { change: 'start', actedOn: true, unit: 's', meaning: 'a child that idles this long starts a new life; 0 is never' }),
  child_max_connections: int(0, { change: 'start', actedOn: true, meaning: 'a child starts a new life after this many clients; 0 is never' }),
  client_idle_limit: int(0, { change: 'session', actedOn: true, unit: 's', meaning: 'disconnect a client that is silent this long; 0 is never' }),
  connection_life_time: int(0, { change: 'start', actedOn: true, unit: 's', meaning: 'close a pooled connection unused this long; 0 is never' }),
  reset_query_list: list(['ABORT', 'DISCARD ALL'], { change: 'reload', actedOn: true, separator: ';', meaning: 'statements that clean a connection before its next use' }),
};
