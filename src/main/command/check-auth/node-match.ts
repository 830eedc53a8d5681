/** Step 5, second half: whether what pgpool then has answers what a DB node asks, and if not, which file lacks what. */
import type { Credential } from '../../../shared/auth/credential.js';
import type { HbaRule } from '../../../shared/auth/hba.js';
import type { ServerMethod } from '../../../shared/auth/server-login.js';
import type { Case, ClientQuestion } from './client-question.js';
import { answerFault, hasVerifier, type ServerError, tryLogin } from './node-answer.js';
import { refusalRemedy, type SeenNode } from './nodes.js';
import { howToStore, howToStorePlain, md5Command, newServerPassword, sqlName } from './remedies.js';
import type { Finding } from './report.js';
import { formName } from './written-form.js';

/** @returns the finding; null for a node that does not even ask. @param rule null in relay mode */
export async function matchNode(given: Case, rule: HbaRule | null, question: ClientQuestion, node: SeenNode): Promise<Finding | null> {
  const { answer, target } = node;
  const { credential } = question;
  if (answer.kind !== 'asks' || credential === null) return null;
  const about = `DB node ${target.backend.id}`;
  const { method } = answer.question;
  const told = await answerFault(given.user, credential, answer.question);
  if (told !== null) return { mark: 'fails', about, ...mismatch(given, rule, credential, method, about), notes: [`the client is told: ${told}`] };
  if (method === 'trust') {
    return question.isOwn
      ? { mark: 'fails', about, text: 'trusts everybody, and the password of the client has been compared with nothing', remedy: howToStore(given.files, given.user) }
      : { mark: 'ok', about, text: 'asks for nothing' };
  }
  const other = await otherVerifier(given, credential, method, node);
  if (other !== null) return other;
  if (!canLogIn(given, credential)) return { mark: 'ok', about, text: `asks for ${method}, which ${shown(given, credential)} answers` };
  return loggedIn(given, credential, node);
}

/** Whether there is all that a login needs: the password was typed, or what is stored is shown whatever the client types. */
export function canLogIn({ password, stored: { stored } }: Case, credential: Credential): boolean {
  return password !== null || credential.kind === 'md5' || (credential.kind === 'plain' && credential === stored);
}

function shown({ stored: { stored, from } }: Case, credential: Credential): string {
  switch (credential.kind) {
    case 'scram': return `the proof of the client, for the verifier in ${from},`;
    // The stored password is passed on as it is; one that the client shows in clear text is another object.
    case 'plain': return credential === stored ? `the password in ${from}` : 'the password of the client';
    default: return `${formName(stored)} in ${from}`;
  }
}

interface Mismatch {
  readonly text: string;
  readonly remedy: string;
}

/** The same words as a client's error, and besides what most often led to it. */
function mismatch(given: Case, rule: HbaRule | null, credential: Credential, method: ServerMethod, node: string): Mismatch {
  const { stored: { stored, from }, files, user } = given;
  const asks = `${node} asks for ${method}`;
  const itself = howToStorePlain(files, user);
  if (credential.kind === 'md5' && method === 'scram-sha-256') {
    return from === 'auth_query'
      ? { text: `the role has an md5 password, but ${asks}: with that nobody can log in there`, remedy: newServerPassword(user) }
      : { text: `${from} has an md5 hash, but ${asks} (most often because password_encryption was changed there, and the password set anew)`, remedy: howToStore(files, user) };
  }
  if (credential.kind === 'scram' && method === 'md5') {
    return { text: `${from} has a SCRAM-SHA-256 verifier, but ${asks}, because the role has an md5 password there`, remedy: `${newServerPassword(user)}, and its new verifier into ${from}; or ${md5Command(files, user)}; or ${itself}` };
  }
  if (credential.kind !== 'none') return { text: `${from} has ${formName(stored)}, but ${asks} (clear text)`, remedy: `${itself}; or give that line of the server's pg_hba.conf the method scram-sha-256` };
  if (rule === null) return { text: `${asks}, while another DB node trusts the user: a client that begins there is asked for nothing`, remedy: "make the servers' pg_hba.conf agree" };
  const place = `${rule.file}:${rule.line}`;
  if (stored.kind === 'verifier') {
    return { text: `${asks}, and ${from} has a SCRAM-SHA-256 verifier, which is of use only when the client proves itself by scram-sha-256; ${place} says ${rule.method}`, remedy: `set the method in ${place} to scram-sha-256; or ${itself}` };
  }
  return { text: `${asks}, ${place} (${rule.method}) asks the client for no password, and ${stored.kind === 'none' ? stored.why : `${from} does not help`}`, remedy: howToStore(files, user) };
}

/** A verifier answers only where the server has the same one. */
async function otherVerifier({ stored: { stored, from }, files, user }: Case, credential: Credential, method: ServerMethod, { target }: SeenNode): Promise<Finding | null> {
  if (credential.kind !== 'scram' || method !== 'scram-sha-256' || stored.kind !== 'verifier') return null;
  const about = `DB node ${target.backend.id}`;
  // A node that went away in the meantime was reached a moment ago: the next check says so.
  if (await hasVerifier(target, stored.verifier).catch(() => true)) return null;
  return {
    mark: 'fails', about,
    text: `has another SCRAM-SHA-256 verifier than ${from}: the password was set anew there, or the verifier is of another user or server`,
    remedy: `copy it again (SELECT rolpassword FROM pg_authid WHERE rolname = '${user.replaceAll("'", "''")}') into ${from}; or ${howToStore(files, user)}`,
  };
}

async function loggedIn(given: Case, credential: Credential, { target, answer }: SeenNode): Promise<Finding> {
  const about = `DB node ${target.backend.id}`;
  let refusal: ServerError | null;
  try {
    refusal = await tryLogin(target, credential);
  } catch (error) {
    return { mark: 'fails', about, text: `logging in with ${shown(given, credential)} failed: ${(error as Error).message}`, remedy: 'see the log of the server' };
  }
  if (refusal === null) return { mark: 'ok', about, text: `logged in with ${shown(given, credential)}` };
  const isPassword = refusal.sqlstate === '28P01';
  const protocol = answer.kind === 'asks' ? answer.protocol : null;
  return {
    mark: 'fails', about, text: `refuses ${shown(given, credential)}: ${refusal.text}`,
    remedy: isPassword ? passwordRemedy(given, credential) : refusalRemedy(refusal, protocol, target.user, target.database),
  };
}

function passwordRemedy({ stored: { stored, from }, files, user }: Case, credential: Credential): string {
  const isStored = credential.kind === 'md5' || credential === stored;
  return isStored && from === 'pool_passwd' ? `the password in ${files.passwdFile} is not that of the server (any more): ${howToStorePlain(files, user)}; or, if the server has no such role: CREATE ROLE ${sqlName(user)} LOGIN PASSWORD …` : 'type the password that the server has';
}
