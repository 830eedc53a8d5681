/** Failover and failback. */
import { bool, int, text } from './kinds.js';

export const failover = {
  failover_command: text('', { change: 'reload', meaning: 'shell command after a node was detached' }),
  failback_command: text('', { change: 'reload', meaning: 'shell command after a node was attached' }),
  follow_primary_command: text('', { change: 'reload', meaning: 'shell command for each standby after a new primary was found' }),
  failover_on_backend_shutdown: bool(false, { change: 'reload', meaning: 'a server that says it shuts down is detached' }),
  failover_on_backend_error: bool(true, { change: 'reload', actedOn: true, meaning: 'a server whose connections fail is detached' }),
  search_primary_node_timeout: int(300, { change: 'reload', actedOn: true, unit: 's', meaning: 'how long a new primary is looked for; 0 is for ever' }),
  detach_false_primary: bool(false, { change: 'reload', meaning: 'detach a primary from which not all standbys replicate' }),
  auto_failback: bool(false, { change: 'reload', meaning: 'attach a standby again when it replicates' }),
  auto_failback_interval: int(60, { change: 'reload', unit: 's', meaning: 'least time between two automatic attachments' }),
};
