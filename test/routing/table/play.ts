/** Plays the steps of a row on a connection. */
import { errorFields, rowsOf } from '../../support/wire-fields.js';
import { WireClient, type WireMessage } from '../../support/wire.js';
import type { Row, Step } from './row.js';

const answerLimitMs = 20_000;

/** Logs in as the row says. @param number makes the application_name unique */
export function logIn(port: number, database: string, row: Row, number: number): Promise<WireClient> {
  const { login } = row;
  return WireClient.login(port, {
    user: login.user ?? 'postgres', database: login.database ?? database, application_name: applicationOf(row, number),
  }, answerLimitMs);
}

export function applicationOf({ login }: Row, number: number): string {
  return `${login.application ?? 'row'}_${number}`;
}

/** Says one step and returns its answer; an ERROR is an answer like others. A COPY FROM STDIN gets no data. */
export async function play(client: WireClient, step: Step): Promise<WireMessage[]> {
  if (typeof step === 'string') client.query(step);
  else if ('extended' in step) {
    client.parse(step.extended);
    client.bind(step.values ?? []);
    client.describe('P');
    client.execute();
    client.sync();
  } else if ('parse' in step) {
    client.parse(step.parse, step.name);
    client.sync();
  } else {
    client.bind([], step.execute);
    client.describe('P');
    client.execute();
    client.sync();
  }
  const messages: WireMessage[] = [];
  for (;;) {
    const message = await client.readMessage();
    messages.push(message);
    if (message.type === 'Z') return messages;
    if (message.type === 'G') {
      client.copyDone();
      // By the extended protocol the server skips the Sync that came before the end of the data.
      if (typeof step !== 'string') client.sync();
    }
  }
}

/** The nodes that notice_per_node_statement names. */
export function nodesNoticed(messages: readonly WireMessage[]): number[] {
  const nodes: number[] = [];
  for (const message of messages) {
    if (message.type !== 'N') continue;
    const found = /^DB node id: (\d+) backend pid: \d+ statement: /.exec(errorFields(message)['M'] ?? '');
    if (found !== null) nodes.push(Number(found[1]));
  }
  return nodes;
}

/** The first value of the first row as text; undefined when there is none. */
export function firstValue(messages: readonly WireMessage[]): string | null | undefined {
  return rowsOf(messages)[0]?.[0];
}

/** The name of a set of nodes, for the comparison with Row.nodes. */
export function nameOf(nodes: readonly number[]): string {
  const ids = [...new Set(nodes)].sort();
  const names: Readonly<Record<string, string>> = { '': 'none', '0': 'primary', '1': 'reader', '0,1': 'both', '0,1,2': 'all', '2': 'node 2' };
  return names[ids.join()] ?? `nodes ${ids.join()}`;
}
