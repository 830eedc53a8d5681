/** pcp_health_check_stats. */
import { readComplete, readDecimal, readInteger } from '../client/replies.js';
import type { PcpCommand } from '../command.js';
import { malformed } from '../failure.js';
import { records } from '../layout.js';

type Kind = 'integer' | 'decimal' | 'text';

/** The fields in their order, on the wire and printed. Durations are in milliseconds. */
const fields: readonly (readonly [title: string, jsonName: string, kind: Kind])[] = [
  ['Node Id', 'node_id', 'integer'],
  ['Host Name', 'hostname', 'text'],
  ['Port', 'port', 'integer'],
  ['Status', 'status', 'text'],
  ['Role', 'role', 'text'],
  ['Last Status Change', 'last_status_change', 'text'],
  ['Total Count', 'total_count', 'integer'],
  ['Success Count', 'success_count', 'integer'],
  ['Fail Count', 'fail_count', 'integer'],
  ['Skip Count', 'skip_count', 'integer'],
  ['Retry Count', 'retry_count', 'integer'],
  ['Average Retry Count', 'average_retry_count', 'decimal'],
  ['Max Retry Count', 'max_retry_count', 'integer'],
  ['Max Health Check Duration', 'max_duration_ms', 'integer'],
  ['Minimum Health Check Duration', 'min_duration_ms', 'integer'],
  ['Average Health Check Duration', 'average_duration_ms', 'decimal'],
  ['Last Health Check', 'last_health_check', 'text'],
  ['Last Successful Health Check', 'last_successful_health_check', 'text'],
  ['Last Skip Health Check', 'last_skip_health_check', 'text'],
  ['Last Failed Health Check', 'last_failed_health_check', 'text'],
];

export const healthCheckStats: PcpCommand = {
  name: 'pcp_health_check_stats',
  summary: "shows the counters of a node's health check",
  options: ['node-id'],
  id: 'node-id',
  idRequired: true,
  async run(connection, { id, verbose }) {
    connection.send('H', Buffer.from(`${id ?? 0}\0`));
    const values = await readComplete(connection, 'h');
    if (values.length < fields.length) throw malformed(`health check counters with ${values.length} fields`);
    return {
      text: records([fields.map(([title], index) => [title, values[index] ?? ''])], verbose),
      json: Object.fromEntries(fields.map(([, name, kind], index) => [name, typed(values[index] ?? '', kind, name)])),
    };
  },
};

function typed(value: string, kind: Kind, name: string): string | number | null {
  if (kind === 'text') return value === '' ? null : value;
  return kind === 'integer' ? readInteger(value, name) : readDecimal(value, name);
}
