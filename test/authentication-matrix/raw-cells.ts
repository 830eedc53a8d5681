/** What psql cannot do: an empty password, an answer without content, and a guess while a good session is open. */
import { databaseOf, setUpOf, userOf, type Subject } from './axes.js';
import { cell, wrongPassword } from './psql-cells.js';
import { openSession, rawLogin, type RawLogin, type RawOutcome } from './raw-login.js';
import type { Proxies, Stage } from './stage.js';
import { verdictOf } from './table.js';

const lanes = 8;

/** Goes through all with some at the same time; gives what was wrong. */
export async function tryByHand(stage: Stage, proxies: Proxies<{ readonly port: number }>, subjects: readonly Subject[]): Promise<string[]> {
  const waiting = [...subjects];
  const wrong: string[] = [];
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let subject = waiting.shift(); subject !== undefined; subject = waiting.shift()) {
      wrong.push(...await faultsOf(stage, proxies[setUpOf(subject.client)].port, subject));
    }
  }));
  return wrong;
}

async function faultsOf(stage: Stage, port: number, subject: Subject): Promise<string[]> {
  const verdict = verdictOf('pgloom', subject);
  if (verdict === 'A') return [];
  const user = userOf(subject.server, subject.stored);
  const right: RawLogin = { port, user, database: databaseOf(subject.client), tls: subject.tls, password: stage.passwordOf(user) };
  const faults: string[] = [];
  const expectRefusal = (what: string, outcome: RawOutcome, sqlstate: RegExp, message = /./): void => {
    const isRefused = !outcome.loggedIn && sqlstate.test(outcome.sqlstate) && message.test(outcome.message);
    if (!isRefused) faults.push(`${cell(subject)}, ${what}: ${outcome.messages} ${outcome.sqlstate} ${outcome.message}`);
  };
  // Turned away before anybody asks for a password.
  if (subject.client === 'reject' || subject.client === 'cert') {
    expectRefusal('no certificate', await rawLogin(right), /^28000$/);
    return faults;
  }
  if (verdict === '.') expectRefusal('right password', await rawLogin(right), /^28P01$/, isProved(subject) ? /pool_passwd|auth_query/ : unspecific);
  if (subject.client === 'trust') return faults;
  expectRefusal('empty password', await rawLogin({ ...right, password: '' }), /^28P01$/, unspecific);
  expectRefusal('answer without content', await rawLogin({ ...right, password: null }), /^(08P01|28P01)$/);
  if (verdict !== 'I') return faults;
  const session = await openSession(right);
  if (!session.loggedIn) faults.push(`${cell(subject)}, right password: ${session.messages} ${session.sqlstate} ${session.message}`);
  expectRefusal('wrong password beside a good session', await rawLogin({ ...right, password: wrongPassword(right.password ?? '') }), /^28P01$/, unspecific);
  await session.end();
  return faults;
}

const unspecific = /^password authentication failed for user "\w+"$/;

/** With the right password: what is stored is of use for the client's method, so that he may be told what the server lacks. */
function isProved({ client, server, stored }: Subject): boolean {
  if (client === 'trust') return true;
  if (stored === 'none') return false;
  const method = client === 'relay' || client === 'relay+clear' ? server : client;
  const isMd5Hash = stored === 'md5' || (stored === 'query' && server === 'md5');
  return method !== 'scram' || !isMd5Hash;
}

/** What a client sees of a refusal, with the user's name taken out. */
export async function wordsOf(login: RawLogin): Promise<string> {
  const { messages, sqlstate, message } = await rawLogin(login);
  return `${messages} ${sqlstate} ${message.replaceAll(login.user, 'USER')}`;
}
