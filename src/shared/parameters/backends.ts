/** The nodes. Every key carries the node number, 0 … 127. */
import { float, port, text } from './kinds.js';

export const backendNode = {
  backend_hostname: text('', { change: 'reload', actedOn: true, meaning: 'host of the server, or the directory of its Unix socket' }),
  backend_port: port(0, { change: 'reload', actedOn: true, meaning: 'port of the server; a node without one is not used' }),
  backend_weight: float(0, { change: 'reload', actedOn: true, min: 0, max: 100_000_000, meaning: 'share of the reads, relative to the other nodes' }),
  backend_data_directory: text('', { change: 'reload', actedOn: true, meaning: 'data directory of the server, for recovery and scripts' }),
  backend_flag: text('ALLOW_TO_FAILOVER', { change: 'reload', actedOn: true, meaning: 'ALLOW_TO_FAILOVER or DISALLOW_TO_FAILOVER, and ALWAYS_PRIMARY, joined by |' }),
  backend_application_name: text('', { change: 'reload', actedOn: true, meaning: 'application_name with which the standby replicates' }),
};
