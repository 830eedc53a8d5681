/** Puts the steps of one client together, and says in one line what comes of them. */
import { byNode, byRule, type Case, type ClientQuestion } from './client-question.js';
import type { ServerMethod } from '../../../shared/auth/server-login.js';
import type { HbaRule } from '../../../shared/auth/hba.js';
import { canLogIn, matchNode } from './node-match.js';
import type { SeenNode } from './nodes.js';
import type { ClientReport, Finding } from './report.js';
import { findRule } from './rule.js';

interface Outcome {
  readonly works: boolean;
  readonly verdict: string;
  readonly findings: readonly Finding[];
}

export async function clientReport(given: Case, database: string, nodes: readonly SeenNode[]): Promise<ClientReport> {
  const { origin, files: { settings, access } } = given;
  const before: Finding[] = [];
  const end = (outcome: Outcome): ClientReport => ({ from: origin.name, ...outcome, findings: [...before, ...outcome.findings] });
  if (origin.tls && access.tls.server === null) {
    const finding: Finding = { mark: 'fails', about: 'TLS', text: 'the client asks for TLS and does not get it', remedy: `set ssl = on, ssl_cert and ssl_key in ${settings.configFile} (a restart takes ssl over)` };
    return end({ works: false, verdict: failing(finding), findings: [finding] });
  }
  if (!settings.enable_pool_hba) return end(await relayed(given, nodes));
  const { rule, finding } = findRule(given.files, origin, given.user, database);
  before.push(finding);
  if (rule === null || finding.mark === 'fails') return end({ works: false, verdict: failing(finding), findings: [] });
  return end(await outcomeOf(given, rule, await byRule(given, rule), nodes));
}

/** The client is asked as the node asks that it begins with, which may be any of them. */
async function relayed(given: Case, nodes: readonly SeenNode[]): Promise<Outcome> {
  const methods = [...new Set(nodes.flatMap(({ answer }) => (answer.kind === 'asks' ? [answer.question.method] : [])))];
  const [only, ...more] = methods;
  if (only === undefined) return noNode(nodes);
  if (more.length === 0) return outcomeOf(given, null, await byNode(given, only), nodes);
  const differ: Finding = { mark: 'skipped', about: 'relay mode', text: `the DB nodes ask for different things (${methods.join(', ')}): what the client is asked for depends on the node that it begins with` };
  const outcomes = await Promise.all(methods.map(async (method) => ({ method, outcome: await outcomeOf(given, null, await byNode(given, method), nodes) })));
  const worst = outcomes.find(({ outcome }) => !outcome.works) ?? outcomes[0];
  return {
    works: outcomes.every(({ outcome }) => outcome.works),
    verdict: worst === undefined ? '' : `${worst.outcome.verdict} (begun at a DB node that asks for ${nameOf(worst.method)})`,
    findings: [differ, ...outcomes.flatMap(({ method, outcome }) => outcome.findings.map((finding) => ({ ...finding, about: `begun by ${nameOf(method)}: ${finding.about}` })))],
  };
}

function nameOf(method: ServerMethod): string {
  return method === 'trust' ? 'nothing' : method;
}

async function outcomeOf(given: Case, rule: HbaRule | null, question: ClientQuestion, nodes: readonly SeenNode[]): Promise<Outcome> {
  const notAsked: Finding[] = given.password === null || question.asksPassword || question.credential === null ? []
    : [{ mark: 'skipped', about: 'password', text: 'the client is not asked for it' }];
  const findings = [...question.findings, ...notAsked];
  if (question.credential === null) {
    const cause = findings.find(({ mark }) => mark === 'fails');
    return { works: false, verdict: cause === undefined ? 'the login fails' : failing(cause), findings };
  }
  const matched = await Promise.all(nodes.map(async (node) => ({ node, finding: await matchNode(given, rule, question, node) })));
  const seen = matched.flatMap(({ finding }) => finding ?? []);
  const { credential } = question;
  const isFailing = ({ node, finding }: typeof matched[number]): boolean => (finding ?? node.finding).mark !== 'ok';
  const needed = matched.find((entry) => entry.node.isNeeded && (entry.finding ?? entry.node.finding).mark === 'fails' && entry.node.answer.kind !== 'silent');
  if (needed !== undefined) return { works: false, verdict: failing(needed.finding ?? needed.node.finding), findings: [...findings, ...seen] };
  // With the primary down nobody can write, and with all of them down nobody gets in.
  if (matched.every(({ node }) => !node.isNeeded || node.answer.kind === 'silent')) return { ...noNode(nodes), findings: [...findings, ...seen] };
  if (given.database?.mark === 'fails') return { works: false, verdict: failing(given.database), findings: [...findings, ...seen] };
  const isUnseen = given.database === null && !canLogIn(given, credential) && matched.some(({ node: { isNeeded, answer } }) => isNeeded && answer.kind === 'asks' && answer.question.method !== 'trust');
  const without = matched.filter(isFailing).map(({ node }) => node.target.backend.id);
  const methods = [...new Set(matched.flatMap(({ node: { answer } }) => (answer.kind === 'asks' ? [nameOf(answer.question.method)] : [])))];
  const verdict = [
    `the login works${question.asksPassword && given.password === null ? ' with the right password' : ''}: the client is asked by ${question.by}, and the DB node asks for ${methods.join(' or ')}`,
    ...(without.length === 0 ? [] : [`DB node ${without.join(', ')} is done without`]),
    ...(isUnseen ? ['whether the server has the database and the role was not looked at (-W does)'] : []),
  ].join('; ');
  return { works: true, verdict, findings: [...findings, ...seen] };
}

function noNode(nodes: readonly SeenNode[]): Outcome {
  const [first] = nodes.filter(({ isNeeded, answer }) => isNeeded && answer.kind !== 'asks').map(({ finding }) => finding);
  return { works: false, verdict: first === undefined ? 'the login fails: there is no DB node' : failing(first), findings: [] };
}

function failing({ about, text }: Finding): string {
  return `the login fails: ${about === 'client' ? 'the client ' : text.includes(about) ? '' : `${about}: `}${text}`;
}
