/** The parts of a pipeline: one message, or a few that belong together. Each knows how it is written in a script. */
import {
  bind, close, copyData, copyDone, copyFail, describe, execute, flush, parse, query, sync,
} from '../messages.js';

/** What a step does to the unnamed portal, as far as it is known without a server. */
export type Effect = 'none' | 'binds a read' | 'binds' | 'uses' | 'ends batch' | 'drops';

export interface Step {
  /** As one would write it in test/protocol/scripts, `...[` `]` around several messages. */
  readonly code: string;
  readonly bytes: Buffer;
  readonly effect: Effect;
}

const quoted = (text: string): string => (text.includes("'") ? JSON.stringify(text) : `'${text}'`);
const list = (values: readonly (string | null)[]): string => `[${values.map((value) => (value === null ? 'null' : quoted(value))).join(', ')}]`;

function step(code: string, bytes: Buffer | readonly Buffer[], effect: Effect = 'none'): Step {
  return { code, bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes as Buffer[]), effect };
}

export const querySteps = {
  query: (text: string): Step => step(`query(${quoted(text)})`, query(text), 'drops'),
  parse: (text: string, name: string): Step => step(`parse(${quoted(text)}${name === '' ? '' : `, ${quoted(name)}`})`, parse(text, name)),
  bind: (values: readonly (string | null)[], statement: string, portal: string, reads: boolean): Step =>
    step(`bind(${list(values)}, ${quoted(statement)}, ${quoted(portal)})`, bind(values, statement, portal), portal !== '' ? 'none' : reads ? 'binds a read' : 'binds'),
  describe: (kind: 'S' | 'P', name: string): Step => step(`describe('${kind}', ${quoted(name)})`, describe(kind, name), kind === 'P' && name === '' ? 'uses' : 'none'),
  execute: (portal: string, maxRows: number): Step => step(`execute(${quoted(portal)}, ${maxRows})`, execute(portal, maxRows), portal === '' ? 'uses' : 'none'),
  close: (kind: 'S' | 'P', name: string): Step => step(`close('${kind}', ${quoted(name)})`, close(kind, name)),
  sync: step('sync', sync, 'ends batch'),
  flush: step('flush', flush),
  /** The data of a COPY and its end, one way or the other. */
  copyIn: (text: string, lines: readonly string[], fails: boolean): Step => step(
    `...[query(${quoted(text)}), ${copyCode(lines, fails)}]`, [query(text), ...copyBytes(lines, fails)], 'drops'),
  /** The same in the extended protocol; libpq sends a Sync before the data, which the server ignores. */
  copyInBatch: (text: string, lines: readonly string[], fails: boolean, syncsFirst: boolean): Step => step(
    `...[parse(${quoted(text)}), bind(), execute(), ${syncsFirst ? 'sync, ' : ''}${copyCode(lines, fails)}, sync, parse('select 1'), sync]`,
    // Bound again, the unnamed statement would be a COPY without data.
    [parse(text), bind(), execute(), ...(syncsFirst ? [sync] : []), ...copyBytes(lines, fails), sync, parse('select 1'), sync], 'drops'),
} as const;

function copyBytes(lines: readonly string[], fails: boolean): Buffer[] {
  return [...lines.map((line) => copyData(`${line}\n`)), fails ? copyFail('enough') : copyDone];
}

function copyCode(lines: readonly string[], fails: boolean): string {
  return [...lines.map((line) => `copyData(${JSON.stringify(`${line}\n`)})`), fails ? "copyFail('enough')" : 'copyDone'].join(', ');
}

/**
 * May the steps be played, and have they to be answered alike?
 *
 * - Execute or Describe of the unnamed portal comes behind its Bind, in a later batch only for a read: PostgreSQL 18.4
 *   crashes on `begin`, a utility statement that fails, and Execute of what it left.
 * - The unnamed portal is not used behind a Flush and a statement that may send the batch to another node.
 * - A Query without a Sync before it ends the pipeline, and no Flush stands between it and the Sync before: what the README
 *   says of a simple query behind extended messages.
 */
export function isComparable(steps: readonly Step[]): boolean {
  let bound: 'no' | 'here' | 'a read' = 'no';
  let batch: 'none' | 'open' | 'flushed' = 'none';
  let wasFlushed = false;
  for (const [n, { effect, code }] of steps.entries()) {
    if (effect === 'uses' && bound === 'no') return false;
    if (code === 'flush') wasFlushed = bound !== 'no';
    else if (wasFlushed && /^(parse|bind|describe\('S|close)/.test(code)) bound = 'no';
    if (effect.startsWith('binds') || effect === 'ends batch') wasFlushed = false;
    if (effect === 'binds') bound = 'here';
    else if (effect === 'binds a read') bound = 'a read';
    else if (effect === 'drops' || (effect === 'ends batch' && bound === 'here')) bound = 'no';
    if (effect === 'drops' && (batch === 'flushed' || (batch === 'open' && n < steps.length - 1))) return false;
    if (effect === 'drops' || effect === 'ends batch') batch = 'none';
    else if (code !== 'flush') batch = batch === 'flushed' ? 'flushed' : 'open';
    else if (batch === 'open') batch = 'flushed';
  }
  return true;
}
