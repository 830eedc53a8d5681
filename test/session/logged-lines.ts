/** Reads the lines that a session has logged. */
import { eventually } from '../support/eventually.js';
import type { Pgloom } from '../support/pgloom.js';
import { WireClient } from '../support/wire.js';

type Settings = Readonly<Record<string, string | number | boolean>>;

/** What the tests set, so that a line is `application|LABEL:  text`. */
export const linePrefix: Settings = { log_line_prefix: '%a|' };

/** A proxy whose log can be read. */
export interface Talkative {
  readonly port: number;
  /** The lines of the sessions with this application_name, without `linePrefix`. */
  lines(application: string): string[];
}

export function talkative(pgloom: Pgloom): Talkative {
  const lines = (application: string): string[] =>
    pgloom.stderr().split('\n').filter((line) => line.startsWith(`${application}|`)).map((line) => line.slice(application.length + 1));
  return { port: pgloom.port, lines };
}

let sessions = 0;

/** Runs `use` in a session of its own and returns all that it has logged, once `last` is there. */
export async function linesOf(proxy: Talkative, use: (client: WireClient) => Promise<void>, last = /disconnection: /): Promise<string[]> {
  const application = `logged-${++sessions}`;
  const client = await WireClient.login(proxy.port, { application_name: application });
  try {
    await use(client);
    client.end();
    let lines: string[] = [];
    await eventually(() => `no line ${last} in:\n${lines.join('\n')}`, () => (lines = proxy.lines(application)).some((line) => last.test(line)));
    return lines;
  } finally {
    client.destroy();
  }
}

const clientMessage = /^LOG: {2}\w+ message from frontend\.$/;
const backendMessage = /^LOG: {2}(last )?\w+ message from backend \d+( repeated \d+ times)?$/;

/** Only the lines about messages, and the DETAIL of each behind it. */
export function aboutMessages(lines: readonly string[]): string[] {
  return lines.filter((line, at) => clientMessage.test(line) || backendMessage.test(line) || (line.startsWith('DETAIL:') && clientMessage.test(lines[at - 1] ?? '')));
}

/** What the session logs about messages. */
export async function messagesOf(proxy: Talkative, use: (client: WireClient) => Promise<void>, last?: RegExp): Promise<string[]> {
  return aboutMessages(await linesOf(proxy, use, last));
}
