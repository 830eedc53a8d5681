/**
 * What sessions ask for by calling functions of pgpool_adm in SQL (src/workers/commands/pcp-statements.ts): who may, and the work.
 *
 * With the arguments of a connection the user and the password are those of pcp.conf, as if the function had connected to the PCP
 * port; the connection has to be to this pgloom. Without them the session's own user has to be in pcp_sql_users.
 */
import { hostname, networkInterfaces } from 'node:os';
import { pack, unpack } from 'msgpackr';
import { LogLevel } from '../shared/logger.js';
import { NodeRole, NodeStatus } from '../shared/memory/node-table.js';
import { pcpFunction, type PcpAnswer, type PcpCall, type PcpLogin, type PcpRequest, type PcpRow } from '../shared/pcp-functions.js';
import { healthCheckStats } from '../shared/report/health-check-stats.js';
import { nodeFacts, pgRoleText, pgStatusText } from '../shared/report/node-facts.js';
import { poolPools } from '../shared/report/pool-pools.js';
import { poolStatus } from '../shared/report/pool-status.js';
import { timestamp } from '../shared/report/time-text.js';
import type { Settings } from '../shared/settings.js';
import { type Administration, AdministrationError } from './administration.js';
import { HttpCredentials } from './observe/http-credentials.js';

type Refusal = Extract<PcpAnswer, { type: 'refused' }>;

class Refused extends Error {
  constructor(readonly answer: Omit<Refusal, 'type'>) {
    super(answer.message);
  }
}

/** The words of pgpool_adm for a node's status. */
const statusWords: Readonly<Record<NodeStatus, string>> = {
  [NodeStatus.unused]: 'Connection unused', [NodeStatus.waiting]: 'Waiting for connection to start', [NodeStatus.up]: 'Connection in use', [NodeStatus.down]: 'Disconnected',
};

/** pcp_proc_info's columns are in the order in which the program prints them; here by their names in SHOW POOL_POOLS. */
const processColumns = [
  'database', 'username', 'start_time', 'client_connection_count', 'majorversion', 'minorversion', 'backend_connection_time', 'client_connection_time',
  'client_idle_duration', 'client_disconnection_time', 'pool_counter', 'pool_backendpid', 'pool_connected', 'pool_pid', 'backend_id', 'status',
  'load_balance_node', 'client_host', 'client_port', 'statement',
] as const;

export class SqlAdministration {
  private readonly credentials: HttpCredentials;

  /** @param pcpFile path of pcp.conf, read at each check */
  constructor(private readonly administration: Administration, pcpFile: string) {
    this.credentials = new HttpCredentials(pcpFile);
  }

  /** Carries out a packed PcpRequest and gives the packed PcpAnswer; never rejects. A wrong password is answered after a delay. */
  async answer(packed: Uint8Array): Promise<Uint8Array> {
    const request = unpack(packed) as PcpRequest;
    return pack(await this.carryOut(request).catch((error: unknown) => this.refusal(error)));
  }

  private async carryOut(request: PcpRequest): Promise<PcpAnswer> {
    // Nothing is done before all of it is allowed.
    for (const { login, isNull } of request.calls) {
      if (isNull) continue;
      if (login === null) this.checkUser(request.user);
      else await this.checkLogin(login, request.address);
    }
    const results: (readonly PcpRow[])[] = [];
    for (const call of request.calls) results.push(call.isNull ? nullRows(call) : await this.rows(call, request));
    return { type: 'results', results };
  }

  private checkUser(user: string): void {
    if (this.settings.pcp_sql_users.includes(user)) return;
    throw new Refused({ sqlstate: '42501', message: `user "${user}" may not administer pgloom without a PCP password`, hint: 'See the parameter pcp_sql_users, or name a PCP user and its password.' });
  }

  /** @throws Refused, after a delay where the password is wrong */
  private async checkLogin(login: PcpLogin, address: string): Promise<void> {
    const { settings } = this;
    if (!isThisPgloom(login, settings)) {
      throw new Refused({ sqlstate: '0A000', message: 'pgloom answers the functions of pgpool_adm for itself only', detail: `Host "${login.host}" and port ${login.port} are not those of its own PCP server.` });
    }
    await this.credentials.check(login.user, login.password, address).catch((error: unknown) => {
      if (!(error instanceof AdministrationError)) throw error;
      const { log } = this.administration;
      if (this.credentials.tells(address, log)) log.log(LogLevel.error, error.message, { detail: error.detail });
      throw new Refused({ sqlstate: '28P01', message: `PCP authentication failed for user "${login.user}"` });
    });
  }

  private async rows(call: PcpCall, { user, address }: PcpRequest): Promise<readonly PcpRow[]> {
    const { administration } = this;
    if (pcpFunction(call.name).own.length > 0) this.checkNode(call.node);
    if (pcpFunction(call.name).acts) {
      const pcpUser = call.login === null ? '' : `, as PCP user "${call.login.user}"`;
      administration.log.log(LogLevel.log, `${call.name} of node ${call.node} in a session of user "${user}"${address === '' ? '' : ` from ${address}`}${pcpUser}`, { node: call.node });
    }
    switch (call.name) {
      case 'pcp_node_count':
        return [[administration.sources().nodes.count]];
      case 'pcp_node_info':
        return [this.nodeInfo(call.node)];
      case 'pcp_health_check_stats':
        return [this.healthCheck(call.node)];
      case 'pcp_pool_status':
        return [...poolStatus(administration.sources()).rows];
      case 'pcp_proc_info':
        return this.processes();
      case 'pcp_attach_node':
        administration.attachNode(call.node);
        return [[true]];
      case 'pcp_detach_node':
        // The session would wait for itself to leave.
        if (call.gracefully) throw new Refused({ sqlstate: '55000', message: 'a session of pgloom cannot detach a node gracefully: it would wait for its own end', hint: 'Use the program pcp_detach_node -g.' });
        await administration.detachNode(call.node, false);
        return [[true]];
    }
  }

  private checkNode(node: number): void {
    const { nodes } = this.administration.sources();
    if (node >= 0 && node < nodes.count) return;
    throw new Refused({ sqlstate: '22023', message: 'NodeID is out of range.', detail: `There are ${nodes.count} nodes, the first is 0.` });
  }

  private nodeInfo(id: number): PcpRow {
    const sources = this.administration.sources();
    const node = nodeFacts(sources).find((one) => one.id === id);
    if (node === undefined) return ['', 0, statusWords[NodeStatus.unused], 'unknown', 0, 'Standby', 'unknown', 0, '', '', timestamp(sources.nodes.changedAt(id) * 1000) || null];
    return [
      node.backend.hostname, node.backend.port, statusWords[node.status], pgStatusText[node.pgStatus], node.weight, node.role === NodeRole.primary ? 'Primary' : 'Standby',
      pgRoleText[node.pgRole], Math.round(node.delay.value), node.replicationState, node.syncState, timestamp(node.changedMs) || null,
    ];
  }

  private healthCheck(id: number): PcpRow {
    const row = [...healthCheckStats(this.administration.sources()).rows].find(([node]) => node === String(id));
    if (row === undefined) throw new Refused({ sqlstate: '22023', message: `stats data for node ID ${id} does not exist` });
    const { columns } = pcpFunction('pcp_health_check_stats');
    return row.map((value, at) => (value === '' && columns[at]?.[1] === 'timestamp' ? null : value));
  }

  /** Places with a server connection, as the program pcp_proc_info shows them; the empty ones could be hundreds of thousands. */
  private async processes(): Promise<readonly PcpRow[]> {
    const links = await this.administration.links();
    const { columns, rows: places } = poolPools(this.administration.sources(), links);
    const at = processColumns.map((column) => columns.indexOf(column));
    const database = columns.indexOf('database');
    const rows: PcpRow[] = [];
    for (const row of places) if (row[database] !== '') rows.push(at.map((from) => row[from] ?? ''));
    return rows;
  }

  private refusal(error: unknown): Refusal {
    if (error instanceof Refused) return { type: 'refused', ...error.answer };
    if (error instanceof AdministrationError) return { type: 'refused', sqlstate: '55000', message: error.message, detail: error.detail };
    this.administration.log.log(LogLevel.error, 'a function of pgpool_adm failed', { error: error as Error });
    return { type: 'refused', sqlstate: 'XX000', message: 'internal error', detail: 'the log of pgloom tells more' };
  }

  private get settings(): Settings {
    return this.administration.sources().settings;
  }
}

/** One row of NULLs from a function that gives one row, none from those that give many: they are strict. */
function nullRows({ name }: PcpCall): readonly PcpRow[] {
  return pcpFunction(name).gives === 'rows' ? [] : [[]];
}

/** The host is this machine or what PCP listens on, and the port is PCP's. */
function isThisPgloom({ host, port }: PcpLogin, { pcp_listen_addresses, pcp_port, pcp_socket_dir }: Settings): boolean {
  if (port !== pcp_port) return false;
  // libpcp takes no host for a socket in /tmp.
  if (host === '' || host.startsWith('/')) return host === '' || pcp_socket_dir.includes(host);
  if (['localhost', '127.0.0.1', '::1', hostname()].includes(host) || pcp_listen_addresses.includes(host)) return host !== '*';
  return pcp_listen_addresses.includes('*') && Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}
