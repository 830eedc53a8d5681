/** Connections: where pgloom listens, and for how many clients. */
import { bool, int, list, port, text } from './kinds.js';

export const listening = {
  listen_addresses: list(['localhost'], { change: 'start', actedOn: true, meaning: 'hosts or addresses for clients; * is every interface, empty is none' }),
  port: port(9999, { change: 'start', actedOn: true, meaning: 'TCP port for clients, also the ending of the Unix socket names' }),
  unix_socket_directories: list(['/tmp'], { change: 'start', actedOn: true, meaning: 'directories that get a Unix socket for clients' }),
  unix_socket_group: text('', { change: 'start', actedOn: true, meaning: 'group that owns the client sockets; empty leaves it alone' }),
  unix_socket_permissions: int(0o777, { change: 'start', actedOn: true, min: 0, max: 0o777, octal: true, meaning: 'permission bits of the client sockets, in octal' }),
  pcp_listen_addresses: list(['localhost'], { change: 'start', actedOn: true, meaning: 'hosts or addresses for PCP, written as listen_addresses' }),
  pcp_port: port(9898, { change: 'start', actedOn: true, meaning: 'TCP port for PCP, also the ending of its Unix socket names' }),
  pcp_socket_dir: list(['/tmp'], { change: 'start', actedOn: true, meaning: 'directories that get a Unix socket for PCP' }),
  num_init_children: int(32, { change: 'start', actedOn: true, min: 1, meaning: 'how many clients are served at the same time; more wait in a queue' }),
  reserved_connections: int(0, { change: 'start', actedOn: true, meaning: 'children kept free: beyond the others a client is refused, not queued' }),
  listen_backlog_multiplier: int(2, { change: 'start', actedOn: true, min: 1, meaning: 'length of the waiting queue, as a multiple of num_init_children' }),
  serialize_accept: bool(false, { change: 'start', meaning: 'let one process at a time accept; one thread accepts here anyway' }),
};
