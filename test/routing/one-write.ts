/** Pipelined messages, and their answers. */
import assert from 'node:assert/strict';
import { firstError, rowsOf } from '../support/wire-fields.js';
import type { WireClient } from '../support/wire.js';
import { nodeOfPort } from './where.js';

export interface Answer {
  /** Letters of the messages up to ReadyForQuery, without ParameterStatus and notices. */
  readonly letters: string;
  readonly rows: (string | null)[][];
  /** SQLSTATE of the first error. */
  readonly error: string | undefined;
}

/** Everything that `send` sends reaches pgloom in one piece (as long as it is short). */
export function inOneWrite(client: WireClient, send: () => void): void {
  client.socket.cork();
  send();
  client.socket.uncork();
}

/** The messages up to the next ReadyForQuery. */
export async function answer(client: WireClient): Promise<Answer> {
  const messages = (await client.readUntil('Z')).filter(({ type }) => type !== 'S' && type !== 'N');
  return { letters: messages.map(({ type }) => type).join(''), rows: rowsOf(messages), error: firstError(messages)?.['C'] };
}

/** A simple query that must succeed; its rows. */
export async function simple(client: WireClient, sql: string): Promise<(string | null)[][]> {
  client.query(sql);
  const { rows, error } = await answer(client);
  assert.equal(error, undefined, sql);
  return rows;
}

export interface SettingAt { readonly node: number; readonly value: string }

const settingSql = (name: string): string => `select current_setting('port'), current_setting('${name}')`;

/** A setting where the session's reads go. */
export async function settingAtReader(client: WireClient, name: string): Promise<SettingAt> {
  return settingFrom(await simple(client, settingSql(name)));
}

/** A setting on the primary: a statement that begins with a comment stays there. */
export async function settingAtPrimary(client: WireClient, name: string): Promise<SettingAt> {
  return settingFrom(await simple(client, `/* primary */ ${settingSql(name)}`));
}

function settingFrom(rows: readonly (readonly (string | null)[])[]): SettingAt {
  return { node: nodeOfPort(Number(rows[0]?.[0])), value: rows[0]?.[1] ?? '' };
}
