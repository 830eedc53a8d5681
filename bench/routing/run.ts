/**
 * What routing costs: `node dist/bench/routing/run.js [--large [--engine]] [--json FILE]`. Without --large the cost of usual statements; with
 * it, how long large ones hold up a worker, with --engine in a real pgloom as well.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadParser } from '../../src/workers/sql/parse.js';
import { describeMachine, machineLine } from '../machine.js';
import { RoutingBench, type RoutingCost } from './bench.js';
import { engineStalls, planStalls, type Stall } from './stalls.js';
import { statements } from './statements.js';

const { values } = parseArgs({ options: { large: { type: 'boolean', default: false }, engine: { type: 'boolean', default: false }, json: { type: 'string' } } });
const machine = describeMachine();
console.log(machineLine(machine));
const result = values.large ? await large(values.engine) : await usual();
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, ...result }, null, 2)}\n`);

async function usual(): Promise<{ costs: RoutingCost[] }> {
  await loadParser();
  const bench = new RoutingBench();
  const costs: RoutingCost[] = [];
  // The first pass is for the compiler.
  for (const [name, text] of statements) await bench.measure(name, text);
  for (const [name, text] of statements) costs.push(await bench.measure(name, text));
  const parts = ['textKnown', 'shapeKnown', 'fresh', 'shape', 'parse', 'classify', 'verdictKnown', 'verdictFresh', 'mayLeave', 'nodeFor'] as const;
  table(['µs of CPU a statement', 'bytes', ...parts], costs.map((cost) => [cost.statement, String(cost.sizeBytes), ...parts.map((part) => cost[part].toFixed(2))]));
  console.log('');
  const sums = ['addsKnownText', 'addsKnownShape', 'addsFreshButParse', 'parse', 'addsFresh'] as const;
  table(['routing adds, µs of CPU', ...sums], costs.map((cost) => [cost.statement, ...sums.map((sum) => cost[sum].toFixed(2))]));
  return { costs };
}

async function large(withEngine: boolean): Promise<{ stalls: Stall[]; quietMs: number | null }> {
  const stalls = await planStalls();
  const quietMs = withEngine ? await engineStalls(stalls) : null;
  if (quietMs !== null) console.log(`a neighbour's longest wait when nothing large is under way: ${quietMs.toFixed(1)} ms`);
  table(['statement', 'bytes', 'plan, ms of CPU', 'kept bytes', 'neighbour waits, ms'], stalls.map(({ statement, sizeBytes, planMs, keptBytes, neighbourMs }) =>
    [statement, String(sizeBytes), planMs.toFixed(1), String(keptBytes), neighbourMs?.toFixed(1) ?? '']));
  return { stalls, quietMs };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  console.log([line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n'));
}
