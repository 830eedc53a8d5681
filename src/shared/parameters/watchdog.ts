/** The watchdog: several pgloom hosts that watch each other. */
import { bool, int, list, password, port, text, words } from './kinds.js';

export const watchdogNode = {
  hostname: text('localhost', { change: 'reload', meaning: 'host of this watchdog node' }),
  wd_port: port(0, { change: 'reload', meaning: 'watchdog port of this node' }),
  pgpool_port: port(0, { change: 'reload', meaning: 'client port of this node' }),
};

export const heartbeatNode = {
  heartbeat_hostname: text('', { change: 'reload', meaning: 'addresses for heartbeats of this node, joined by ;' }),
  heartbeat_port: port(0, { change: 'reload', meaning: 'UDP port for heartbeats of this node' }),
  heartbeat_device: text('', { change: 'reload', meaning: 'network interfaces for heartbeats of this node, joined by ;' }),
};

export const watchdog = {
  use_watchdog: bool(false, { change: 'start', meaning: 'join the other hosts in a watchdog' }),
  trusted_servers: text('', { change: 'start', meaning: 'hosts that tell by a ping whether the network is up' }),
  trusted_server_command: text('ping -q -c3 %h', { change: 'reload', meaning: 'command that tries a trusted server; %h is its name' }),
  ping_path: text('/bin', { change: 'start', meaning: 'directory of ping' }),
  wd_listen_address: text('', { change: 'start', meaning: 'local address of the watchdog instead of hostnameN' }),
  wd_listen_port: port(0, { change: 'start', meaning: 'local port of the watchdog instead of wd_portN' }),
  wd_authkey: { ...text('', { change: 'reload', meaning: 'secret that all hosts of the watchdog share' }), secret: true },
  wd_ipc_socket_dir: text('/tmp', { change: 'start', meaning: 'directory of the socket for watchdog commands' }),
  delegate_ip: text('', { change: 'start', meaning: 'virtual IP address of the leader; empty is none' }),
  if_cmd_path: text('/sbin', { change: 'start', meaning: 'directory of the commands for the virtual IP address' }),
  if_up_cmd: text('/usr/bin/sudo /sbin/ip addr add $_IP_$/24 dev eth0 label eth0:0', { change: 'start', meaning: 'command that takes the virtual IP address' }),
  if_down_cmd: text('/usr/bin/sudo /sbin/ip addr del $_IP_$/24 dev eth0', { change: 'start', meaning: 'command that drops the virtual IP address' }),
  arping_path: text('/usr/sbin', { change: 'start', meaning: 'directory of arping' }),
  arping_cmd: text('/usr/bin/sudo /usr/sbin/arping -U $_IP_$ -w 1 -I eth0', { change: 'start', meaning: 'command that tells the network about the virtual IP address' }),
  clear_memqcache_on_escalation: bool(true, { change: 'reload', meaning: 'empty the query cache on becoming the leader' }),
  wd_escalation_command: text('', { change: 'reload', meaning: 'shell command on becoming the leader' }),
  wd_de_escalation_command: text('', { change: 'reload', meaning: 'shell command on no longer being the leader' }),
  wd_priority: int(1, { change: 'start', meaning: 'in an election the higher number wins' }),
  wd_monitoring_interfaces_list: list([], { change: 'start', meaning: 'network interfaces to watch; any is all but loopback, empty is none' }),
  failover_when_quorum_exists: bool(true, { change: 'start', meaning: 'without a quorum a node is not detached but set aside' }),
  failover_require_consensus: bool(true, { change: 'start', meaning: 'detaching a node needs a majority of votes' }),
  allow_multiple_failover_requests_from_node: bool(false, { change: 'start', meaning: 'repeated requests of one host count as several votes' }),
  enable_consensus_with_half_votes: bool(false, { change: 'start', meaning: 'half of the votes are enough' }),
  wd_remove_shutdown_nodes: bool(false, { change: 'reload', meaning: 'hosts that were stopped are no longer counted as members' }),
  wd_lost_node_removal_timeout: int(0, { change: 'reload', unit: 's', meaning: 'lost hosts are not counted after this time; 0 is never' }),
  wd_no_show_node_removal_timeout: int(0, { change: 'reload', unit: 's', meaning: 'hosts never seen are not counted after this time; 0 is never' }),
  wd_lifecheck_method: words({ query: 1, heartbeat: 2, external: 3 }, 'heartbeat', { change: 'start', meaning: 'how other hosts are checked: query, heartbeat or external' }),
  wd_interval: int(10, { change: 'start', unit: 's', meaning: 'time between two checks of other hosts' }),
  wd_heartbeat_listen_addresses: text('', { change: 'start', meaning: 'local addresses for heartbeats instead of heartbeat_hostnameN' }),
  wd_heartbeat_listen_port: int(0, { change: 'start', meaning: 'local port for heartbeats instead of heartbeat_portN' }),
  wd_heartbeat_keepalive: int(2, { change: 'start', unit: 's', min: 1, meaning: 'time between two heartbeats' }),
  wd_heartbeat_deadtime: int(30, { change: 'start', unit: 's', min: 1, meaning: 'a host without a heartbeat for this long is dead' }),
  wd_life_point: int(3, { change: 'start', meaning: 'query: failed checks before a host is dead' }),
  wd_lifecheck_query: text('SELECT 1', { change: 'start', meaning: 'query: the statement' }),
  wd_lifecheck_dbname: text('template1', { change: 'reload', meaning: 'query: the database' }),
  wd_lifecheck_user: text('', { change: 'reload', meaning: 'query: the user' }),
  wd_lifecheck_password: password({ change: 'reload', meaning: 'query: its password' }),
};
