/** Native replication and snapshot isolation. */
import { bool, text } from './kinds.js';

export const replication = {
  replication_stop_on_mismatch: bool(false, { change: 'reload', meaning: 'detach the nodes in the minority when answers differ in kind' }),
  failover_if_affected_tuples_mismatch: bool(false, { change: 'reload', meaning: 'detach the nodes in the minority when row counts differ' }),
  replicate_select: bool(false, { change: 'reload', meaning: 'send reads to every node when they are not load balanced' }),
  insert_lock: bool(true, { change: 'reload', meaning: 'lock a table with a sequence before INSERT so that numbers agree' }),
  lobj_lock_table: text('', { change: 'reload', meaning: 'table locked while large objects are made; empty turns it off' }),
};
