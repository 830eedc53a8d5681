/**
 * Every cell with psql: a wrong password, none at all, the right one, and at once, with the link of that in the pool,
 * the wrong one again.
 */
import { databaseOf, setUpOf, userOf, type Subject } from './axes.js';
import { psqlLogins, type Home, type Login, type Outcome } from './psql-logins.js';
import type { Proxies, Stage } from './stage.js';
import type { Verdict } from './table.js';

/** What the user says. */
export type Given = 'wrong' | 'none' | 'right';

export interface Attempt {
  readonly subject: Subject;
  readonly given: Given;
  readonly outcome: Outcome;
}

/** Over TLS the link of the attempts without is in the pool from the beginning. */
const sequence = (tls: boolean): readonly Given[] => (tls ? ['right', 'wrong'] : ['wrong', 'none', 'right', 'wrong']);

/**
 * All attempts, in their order by client method.
 * @param home where psql waits between them, as a user who is trusted
 */
export async function tryWithPsql(stage: Stage, proxies: Proxies<{ readonly port: number }>, subjects: readonly Subject[], home: Home): Promise<Attempt[]> {
  const trials = subjects.flatMap((subject) => sequence(subject.tls && subject.client !== 'cert').map((given) => ({ subject, given })));
  const outcomes = await psqlAtOnce(home, trials.map(({ subject, given }) => loginOf(stage, proxies[setUpOf(subject.client)].port, subject, given)));
  return trials.map((trial, i) => ({ ...trial, outcome: outcomes[i] ?? { user: null, message: 'not tried' } }));
}

/** Logins to different databases at the same time, those to one in their order. @returns outcomes in the order of the logins */
export async function psqlAtOnce(home: Home, logins: readonly Login[]): Promise<Outcome[]> {
  const places = logins.map(({ port, database }) => `${port}/${database}`);
  const outcomes: Outcome[] = [];
  await Promise.all([...new Set(places)].map(async (place) => {
    const numbers = [...places.keys()].filter((i) => places[i] === place);
    const found = await psqlLogins(home, logins.filter((_, i) => places[i] === place));
    numbers.forEach((number, i) => { outcomes[number] = found[i] ?? { user: null, message: 'not tried' }; });
  }));
  return outcomes;
}

export function loginOf(stage: Stage, port: number, subject: Subject, given: Given): Login {
  const user = userOf(subject.server, subject.stored);
  const base = { port, user, database: databaseOf(subject.client), tls: subject.tls };
  if (subject.client === 'cert') return { ...base, ...certificate(stage, user, subject.tls ? given : 'none') };
  switch (given) {
    case 'none': return base;
    case 'right': return { ...base, password: stage.passwordOf(user) };
    case 'wrong': return { ...base, password: wrongPassword(stage.passwordOf(user)) };
  }
}

/** As long as the right one, and different in its last letter only. */
export function wrongPassword(right: string): string {
  return `${right.slice(0, -1)}!`;
}

/** Who shows a certificate has nothing to say besides. */
function certificate(stage: Stage, user: string, given: Given): Pick<Login, 'certificate'> {
  if (given === 'none') return {};
  return { certificate: given === 'right' ? stage.certificateOf(user) : stage.strangersCertificate() };
}

/** What is not as the verdict has it, in words; empty when all is well. */
export function complaints(attempts: readonly Attempt[], verdict: (subject: Subject) => Verdict): string[] {
  return attempts.flatMap(({ subject, given, outcome }) => {
    const expected = isLetIn(verdict(subject), given) ? userOf(subject.server, subject.stored) : null;
    return outcome.user === expected ? [] : [`${cell(subject)}, ${given} password: ${outcome.user ?? 'refused'} in place of ${expected ?? 'refused'} (${outcome.message})`];
  });
}

export function isLetIn(verdict: Verdict, given: Given): boolean {
  switch (verdict) {
    case 'A': return true;
    case 'P': return given !== 'none';
    case 'I': return given === 'right';
    case '.': return false;
  }
}

export function cell({ client, server, stored, tls }: Subject): string {
  return `client ${client}, server ${server}, stored ${stored}${tls ? ', TLS' : ''}`;
}
