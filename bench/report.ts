import type { Verdict } from './goals.js';
import { machineLine, type Machine } from './machine.js';
import type { Summary } from './summary.js';
import type { Unit } from './workloads/workload.js';

/** All that the report shows; also what --json writes. */
export interface Report {
  readonly machine: Machine;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly subject: string;
  /** What each target agreed on with a client, by target; empty without a TLS workload. */
  readonly handshakes: Readonly<Record<string, string>>;
  /** Kind of the certificate's key; null without a TLS workload. */
  readonly keyDescription: string | null;
  readonly skipped: readonly string[];
  readonly workloads: readonly { readonly name: string; readonly unit: Unit; readonly title: string }[];
  readonly summaries: readonly Summary[];
  readonly verdicts: readonly Verdict[];
}

/** A number with about three digits; a dash for none. */
export function shortNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function scaled(value: number | null, divisor: number): string {
  return shortNumber(value === null ? null : value / divisor);
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? '' : `${ratio.toFixed(2)}x`;
}

/** A Markdown table; the first column to the left, figures to the right. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

const unitNames = { transaction: 'tx', request: 'req', MB: 'MB', connection: 'connection' } as const;

function loadTable(rows: readonly Summary[], unit: Unit, subject: string): string {
  const name = unitNames[unit];
  const withClient = rows.some((row) => row.median.clientCpuUs !== null);
  const withLatency = rows.some((row) => row.median.p50Us !== null);
  const header = ['target', `${name}/s`, `CPU user µs/${name}`, 'system', 'sum'];
  if (withClient) header.push(`pgbench's µs/${name}`);
  if (withLatency) header.push('p50 ms', 'p95 ms', 'p99 ms');
  header.push('memory MB', `rate of ${subject} to it`, `CPU of ${subject} to it`);
  return markdownTable(header, rows.map(({ target, rounds, median, subjectRatio }) => {
    if (rounds === 0) return [target, 'failed', ...header.slice(2).map(() => '')];
    const latency = [median.p50Us, median.p95Us, median.p99Us].map((value) => scaled(value, 1000));
    return [
      target, shortNumber(median.perSecond), shortNumber(median.cpuUserUs), shortNumber(median.cpuSystemUs),
      shortNumber(median.cpuUs), ...(withClient ? [shortNumber(median.clientCpuUs)] : []),
      ...(withLatency ? latency : []), scaled(median.memoryBytes, 1e6),
      times(subjectRatio.perSecond), times(subjectRatio.cpuUs),
    ];
  }));
}

function connectionTable(rows: readonly Summary[], subject: string): string {
  const header = ['target', 'kB each', 'memory MB', `${subject} to it`, 'note'];
  return markdownTable(header, rows.map(({ target, rounds, median, subjectRatio }) => (rounds === 0
    ? [target, 'failed', '', '', '']
    : [target, scaled(median.memoryEachBytes, 1000), scaled(median.memoryBytes, 1e6),
      times(subjectRatio.memoryEachBytes), median.note ?? ''])));
}

/** What the targets agreed on, those with the same together. */
function handshakeLine(keyDescription: string, handshakes: Report['handshakes']): string {
  const agreed = [...new Set(Object.values(handshakes))].map((handshake) => {
    const targets = Object.keys(handshakes).filter((target) => handshakes[target] === handshake);
    return `${handshake} (${targets.join(', ')})`;
  });
  return `TLS with the clients, servers in clear; certificate with a key of ${keyDescription}: ${agreed.join('; ')}.`;
}

/** The report as Markdown, ready for the README. */
export function markdownReport(report: Report): string {
  const parts = [
    machineLine(report.machine),
    `\`${report.command}\`: medians of ${report.rounds} rounds; ratios are taken within a round. CPU is user and system time of all the proxy's processes and threads. Memory is PSS: the kernel's socket buffers are not in it. ${[...new Set(Object.values(report.versions))].join('; ')}.`,
  ];
  for (const line of report.skipped) parts.push(`Skipped: ${line}`);
  if (report.keyDescription !== null) parts.push(handshakeLine(report.keyDescription, report.handshakes));
  for (const workload of report.workloads) {
    const rows = report.summaries.filter((summary) => summary.workload === workload.name);
    const title = workload.unit === 'transaction' || workload.unit === 'request' ? `\`${workload.title}\`` : workload.title;
    parts.push(`**${workload.name}** – ${title}`);
    parts.push(workload.unit === 'connection'
      ? connectionTable(rows, report.subject)
      : loadTable(rows, workload.unit, report.subject));
    for (const row of rows) {
      for (const failure of new Set(row.failures)) parts.push(`${row.target} failed: ${failure.replaceAll('\n', ' ')}`);
    }
  }
  if (report.verdicts.length > 0) {
    parts.push(markdownTable(['goal', 'measured', ''], report.verdicts.map((verdict) =>
      [verdict.text, shortNumber(verdict.measured), verdict.reached ? 'reached' : 'MISSED'])));
  }
  return `${parts.join('\n\n')}\n`;
}
