/**
 * The functions of pgpool_adm 1.6, which pgloom answers where the extension is not installed: what they take, what they give,
 * and how a worker asks the primary thread for it.
 */

export type PcpFunctionName = 'pcp_node_info' | 'pcp_health_check_stats' | 'pcp_pool_status' | 'pcp_node_count' | 'pcp_attach_node' | 'pcp_detach_node' | 'pcp_proc_info';

/** PostgreSQL's name of a column's type, in pg_catalog. */
type ColumnType = 'text' | 'int4' | 'int8' | 'float4' | 'bool' | 'timestamp';

export interface PcpFunction {
  /** Its parameters before those of the connection. */
  readonly own: readonly PcpParameter[];
  readonly gives: 'value' | 'row' | 'rows';
  /** It changes something: it is carried out once for each time that its statement is executed. */
  readonly acts: boolean;
  readonly columns: readonly (readonly [name: string, type: ColumnType])[];
}

export interface PcpParameter {
  readonly name: string;
  readonly type: 'text' | 'int4' | 'bool';
}

/** How a function is told where PCP is and who asks; they follow its own parameters. */
export const loginParameters: readonly PcpParameter[] = [
  { name: 'host', type: 'text' }, { name: 'port', type: 'int4' }, { name: 'username', type: 'text' }, { name: 'password', type: 'text' },
];

const node: PcpParameter = { name: 'node_id', type: 'int4' };
const texts = (names: string): readonly (readonly [string, ColumnType])[] => names.split(' ').map((name) => [name, 'text'] as const);

const functions: Readonly<Record<PcpFunctionName, PcpFunction>> = {
  pcp_node_info: {
    own: [node], gives: 'row', acts: false,
    columns: [['host', 'text'], ['port', 'int4'], ['status', 'text'], ['pg_status', 'text'], ['weight', 'float4'], ['role', 'text'], ['pg_role', 'text'],
      ['replication_delay', 'int8'], ['replication_state', 'text'], ['replication_sync_state', 'text'], ['last_status_change', 'timestamp']],
  },
  pcp_health_check_stats: {
    own: [node], gives: 'row', acts: false,
    columns: [['node_id', 'int4'], ['host', 'text'], ['port', 'int4'], ['status', 'text'], ['role', 'text'], ['last_status_change', 'timestamp'],
      ['total_count', 'int8'], ['success_count', 'int8'], ['fail_count', 'int8'], ['skip_count', 'int8'], ['retry_count', 'int8'],
      ['average_retry_count', 'float4'], ['max_retry_count', 'int8'], ['max_health_check_duration', 'int8'], ['min_health_check_duration', 'int8'],
      ['average_health_check_duration', 'float4'], ['last_health_check', 'timestamp'], ['last_successful_health_check', 'timestamp'],
      ['last_skip_health_check', 'timestamp'], ['last_failed_health_check', 'timestamp']],
  },
  pcp_pool_status: { own: [], gives: 'rows', acts: false, columns: texts('item value description') },
  pcp_node_count: { own: [], gives: 'value', acts: false, columns: [['node_count', 'int4']] },
  pcp_attach_node: { own: [node], gives: 'value', acts: true, columns: [['node_attached', 'bool']] },
  pcp_detach_node: { own: [node, { name: 'gracefully', type: 'bool' }], gives: 'value', acts: true, columns: [['node_detached', 'bool']] },
  pcp_proc_info: {
    own: [], gives: 'rows', acts: false,
    columns: texts('database username start_time client_connection_count major minor backend_connection_time client_connection_time '
      + 'client_idle_duration client_disconnection_time pool_counter backend_pid connected pid backend_id status load_balance_node client_host client_port statement'),
  },
};

export const pcpFunctionNames = Object.keys(functions) as readonly PcpFunctionName[];

export function isPcpFunctionName(name: string): name is PcpFunctionName {
  return Object.hasOwn(functions, name);
}

export function pcpFunction(name: PcpFunctionName): PcpFunction {
  return functions[name];
}

/** What a session's statement calls. */
export interface PcpCall {
  readonly name: PcpFunctionName;
  /** An argument is NULL: so is the result, as the functions are strict, and nothing is done. */
  readonly isNull: boolean;
  /** 0 where it has no node_id. */
  readonly node: number;
  readonly gracefully: boolean;
  /** Null: the form without arguments for the connection, for users of pcp_sql_users. */
  readonly login: PcpLogin | null;
}

/** Never logged. */
export interface PcpLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** All that one statement calls, in its order. */
export interface PcpRequest {
  /** User of the session. */
  readonly user: string;
  /** Address of its client, '' for a Unix socket. */
  readonly address: string;
  readonly calls: readonly PcpCall[];
}

/** One result row; values as JSON has them. */
export type PcpRow = readonly (string | number | boolean | null)[];

export type PcpAnswer =
  /** Rows of each call. */
  | { readonly type: 'results'; readonly results: readonly (readonly PcpRow[])[] }
  | { readonly type: 'refused'; readonly sqlstate: string; readonly message: string; readonly detail?: string | undefined; readonly hint?: string | undefined };
