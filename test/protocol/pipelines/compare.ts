/** Plays a pipeline directly and through pgloom, and makes a pipeline that differs as short as it can be. */
import type { Stage } from './stage.js';
import { ending, generate } from './generate.js';
import { isComparable, type Step } from './step.js';
import { transcript, type Delivery } from '../transcript.js';

export interface Difference {
  readonly seed: number;
  /** Port of the pgloom that it was seen at. */
  readonly port: number;
  readonly delivery: Delivery;
  readonly steps: readonly Step[];
  readonly expected: readonly string[];
  readonly actual: readonly string[];
}

const limitMs = 10_000;
/** While a pipeline is made shorter: answers that do not come are then the usual case. */
const shortLimitMs = 1500;

async function play(stage: Stage, port: number, steps: readonly Step[], delivery: Delivery, seed: number, patienceMs: number): Promise<string[]> {
  await stage.putBack();
  const messages = [...steps, ...ending].map(({ bytes }) => bytes);
  try {
    return await transcript(port, messages, delivery, { seed, limitMs: patienceMs });
  } catch (error) {
    // What came before is in the message; it stands for an answer that is missing.
    return (error as Error).message.split('\n');
  }
}

const differ = (one: readonly string[], other: readonly string[]): boolean => one.length !== other.length || one.some((line, n) => line !== other[n]);

/** Why transcripts differ where that is known; undefined where it is not. */
export function knownCause({ steps, expected, actual }: Pick<Difference, 'steps' | 'expected' | 'actual'>): string | undefined {
  const at = expected.findIndex((line, n) => line !== actual[n]);
  const [wanted = '', got = ''] = [expected[at], actual[at]];
  const missing = 'unnamed prepared statement does not exist';
  if ((wanted.includes(missing) && !got.includes(missing)) || (got.includes(missing) && !wanted.includes(missing))) {
    return 'a Parse of the unnamed statement that was skipped, because something before it failed, is taken for failed';
  }
  if (got.startsWith('E ') && /portal \\"[^"]*\\" does not exist/.test(got) && expected.slice(0, at).some((line) => line === 'Z "E"')) {
    return 'a portal of the primary is not known to the reader, on which the transaction has failed';
  }
  if (/prepared statement \\"\w+\\" does not exist/.test(got) && !wanted.includes('does not exist')) {
    if (expected.slice(0, at).findLast((line) => line.startsWith('Z ')) === 'Z "E"') return 'a statement that only the reader has, in a transaction that has failed on the primary';
    if (steps.some(({ code }) => code.includes('deallocate'))) return 'a DEALLOCATE that was skipped is taken for done';
    if (steps.some(({ code }) => code.includes('execute(), sync, copyData'))) return "nothing is prepared silently on a link behind libpq's COPY that failed";
  }
  if (got.includes('cannot execute PREPARE TRANSACTION during recovery')) return 'PREPARE TRANSACTION behind an error on the reader';
  if (steps.some(({ code }) => code === 'flush') && /transaction block|transaction in progress|before any query|pipeline/.test(wanted + got)) {
    return 'a batch that goes on at the primary behind a Flush is two implicit transactions';
  }
  return undefined;
}

/** Plays the pipeline of the seed; undefined when the transcripts are the same. */
export async function compare(stage: Stage, port: number, seed: number): Promise<Difference | undefined> {
  const delivery: Delivery = seed % 3 === 0 ? 'split' : 'whole';
  return await compareSteps(stage, port, seed, generate(seed), delivery, limitMs);
}

async function compareSteps(stage: Stage, port: number, seed: number, steps: readonly Step[], delivery: Delivery, patienceMs: number): Promise<Difference | undefined> {
  const direct = stage.cluster.nodes[0]?.port ?? 0;
  const expected = await play(stage, direct, steps, 'whole', seed, patienceMs);
  // The server itself does not answer it to the end: it says nothing about pgloom.
  if (expected.some((line) => line.includes('did not come within'))) return undefined;
  const actual = await play(stage, port, steps, delivery, seed, patienceMs);
  return differ(expected, actual) ? { seed, port, delivery, steps, expected, actual } : undefined;
}

/** Leaves out steps, many at a time and then one by one, as long as the transcripts differ. */
export async function shrink(stage: Stage, found: Difference): Promise<Difference> {
  let shortest = found;
  for (let size = Math.ceil(found.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.steps.length;) {
      const steps = shortest.steps.toSpliced(at, size);
      const still = isComparable(steps) ? await compareSteps(stage, found.port, found.seed, steps, found.delivery, shortLimitMs) : undefined;
      if (still === undefined || knownCause(still) !== undefined) at += size;
      else shortest = still;
    }
  }
  return shortest;
}

/** For a person: the script, and where the transcripts part. */
export function explain({ seed, delivery, steps, expected, actual }: Difference): string {
  const first = expected.findIndex((line, n) => line !== actual[n]);
  const at = first < 0 ? expected.length : first;
  return [
    `seed ${seed}, sent ${delivery}:`,
    `  messages: [${steps.map(({ code }) => code).join(', ')}]`,
    ...expected.slice(Math.max(0, at - 3), at).map((line) => `    ${line.slice(0, 200)}`),
    ...expected.slice(at, at + 5).map((line) => `  - ${line.slice(0, 200)}`),
    ...actual.slice(at, at + 5).map((line) => `  + ${line.slice(0, 200)}`),
  ].join('\n');
}
