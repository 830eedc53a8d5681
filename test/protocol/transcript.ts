/** Plays a script on a fresh session and writes down every message that comes back. */
import { setImmediate } from 'node:timers/promises';
import { WireClient, type WireMessage } from '../support/wire.js';
import { rowValues } from '../support/wire-fields.js';
import { query } from './messages.js';

/** How a script's bytes reach the socket. */
export type Delivery = 'whole' | 'bytewise' | 'split';

const lastWord = 'the end of the script';
const last = query(`select '${lastWord}'`);

/** A small generator of numbers that are the same in each run. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export async function deliver(client: WireClient, bytes: Buffer, delivery: Delivery, seed = 1): Promise<void> {
  const random = numbers(seed);
  let at = 0;
  while (at < bytes.length) {
    const size = delivery === 'whole' ? bytes.length : delivery === 'bytewise' ? 1 : 1 + Math.floor(random() * 40);
    client.write(bytes.subarray(at, at + size));
    at += size;
    if (delivery !== 'whole') await setImmediate();
  }
}

export interface TranscriptOptions {
  /** Seed of the sizes in which the bytes are written. */
  readonly seed?: number;
  /** A message that does not come in this time is an error. */
  readonly limitMs?: number;
}

/**
 * The transcript, one line a message. What must differ between two sessions is left out: process ids (in
 * NotificationResponse), the oids of tables (in RowDescription), the numbers of schemas for temporary tables.
 */
export async function transcript(port: number, messages: readonly Buffer[], delivery: Delivery, options: TranscriptOptions = {}): Promise<string[]> {
  const { seed = 1, limitMs = 10_000 } = options;
  const client = await WireClient.login(port, { application_name: 'transcript' }, limitMs);
  try {
    await deliver(client, Buffer.concat([...messages, last]), delivery, seed);
    const lines: string[] = [];
    for (let ended = false; ;) {
      const message = await next(client, lines);
      if (message === undefined) return [...lines, 'the connection is closed'];
      if (message.type === 'D' && message.payload.length < 100 && rowValues(message)[0] === lastWord) ended = true;
      lines.push(describeMessage(message));
      if (ended && message.type === 'Z') return lines;
    }
  } finally {
    client.end();
  }
}

/** The next message, undefined at the end of the connection. */
async function next(client: WireClient, lines: readonly string[]): Promise<WireMessage | undefined> {
  try {
    return await client.readMessage();
  } catch (error) {
    if ((error as Error).message.includes('the connection ended')) return undefined;
    throw new Error(`${(error as Error).message}, after\n${lines.slice(-12).join('\n')}`, { cause: error });
  }
}

function describeMessage({ type, payload }: WireMessage): string {
  const shown = type === 'A' ? payload.subarray(4) : type === 'T' ? withoutTableOids(payload) : payload;
  const text = shown.length > 2000 ? `${shown.length} bytes ${shown.toString('latin1', 0, 50)}` : shown.toString('latin1');
  return `${type} ${JSON.stringify(type === 'E' || type === 'N' ? text.replaceAll(/pg_temp_\d+/g, 'pg_temp_N') : text)}`;
}

/** A temporary table has another oid in each session. Columns: name, table oid, column number, type oid, size, modifier, format. */
function withoutTableOids(payload: Buffer): Buffer {
  const copy = Buffer.from(payload);
  let at = 2;
  for (let columns = copy.readInt16BE(0); columns > 0; columns--) {
    at = copy.indexOf(0, at) + 1;
    copy.writeInt32BE(0, at);
    at += 18;
  }
  return copy;
}
