/** What a client answers when it is asked for its password: right, wrong, or spoilt in one place. */
import { createHash, randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { message } from '../../../test/protocol/messages.js';
import { body, int32 } from '../../../test/support/wire-fields.js';
import { pick, type Random } from '../grammar.js';
import { chance, flipped, noise, spoilt, upTo } from './mutation.js';
import { channelOf, finalText, md5Proof, readServerFirst, type ScramFinal, scramFinal, type ScramFirst, type ServerFirst } from './proofs.js';

/**
 * right: as it should be; spoilt: of the right password, but changed where it must not be; wrong: of another password, and
 * changed anywhere or nowhere.
 */
export type Honesty = 'right' | 'spoilt' | 'wrong';

export interface Answerer {
  readonly random: Random;
  readonly user: string;
  readonly password: string;
  readonly honesty: Honesty;
  /** How often a field of a wrong answer is spoilt as well. */
  readonly damage: number;
  readonly binding: Buffer;
}

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const sasl = (mechanism: string, lengthWord: number, data: Buffer): Buffer => message('p', Buffer.concat([latin(`${mechanism}\0`), int32(lengthWord), data]));

/** tls-server-end-point of the server's certificate, whose signature is with SHA-256; empty without TLS. */
export function endPoint(stream: TLSSocket | object): Buffer {
  const raw = 'getPeerCertificate' in stream ? stream.getPeerCertificate().raw : undefined;
  return raw === undefined ? Buffer.alloc(0) : createHash('sha256').update(raw).digest();
}

export function passwordAnswer({ random, password, honesty, damage }: Answerer): Buffer {
  if (honesty === 'right') return message('p', body(password));
  if (honesty === 'wrong') {
    return chance(random, damage) ? message('p', pick(random, [latin(password), noise(random, 100), latin(spoilt(random, `${password}\0`))])) : message('p', body(password));
  }
  const right = body(password);
  return message('p', pick(random, [
    Buffer.concat([right, Buffer.from('\0')]), Buffer.concat([right, right]), Buffer.concat([right, noise(random, 9), Buffer.from('x\0')]), Buffer.concat([Buffer.from('\0'), right]),
    right.subarray(1), Buffer.concat([right.subarray(0, -2), Buffer.from('\0')]), body(`${password} `), body(password.toUpperCase()),
  ]));
}

export function md5Answer({ random, user, password, honesty, damage }: Answerer, salt: Buffer): Buffer {
  const proof = md5Proof(password, user, salt);
  if (honesty === 'right') return message('p', body(proof));
  if (honesty === 'wrong') return message('p', chance(random, damage) ? latin(spoilt(random, `${proof}\0`)) : body(proof));
  return message('p', pick(random, [
    body(md5Proof(password, user, flipped(random, salt))), body(md5Proof(password, `${user}x`, salt)), body(proof.slice(3)), body(proof.slice(0, -1)), body(`${proof}0`),
    Buffer.concat([body(proof), body('x')]), body(password), body(`${flippedDigit(random, proof)}`), body(md5Proof('', user, salt)),
  ]));
}

function flippedDigit(random: Random, proof: string): string {
  const at = 3 + upTo(random, 32);
  return proof.slice(0, at) + (proof[at] === '0' ? '1' : '0') + proof.slice(at + 1);
}

/** @param offered the list of AuthenticationSASL */
export function scramStart(answerer: Answerer, offered: readonly string[]): { readonly first: ScramFirst; readonly bytes: Buffer } {
  const { random, honesty, damage, binding } = answerer;
  const usesPlus = binding.length > 0 && offered.includes('SCRAM-SHA-256-PLUS') && chance(random, 0.6);
  const mechanism = usesPlus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
  const nonce = randomBytes(18).toString('base64');
  const gs2 = usesPlus ? 'p=tls-server-end-point,,' : offered.includes('SCRAM-SHA-256-PLUS') ? 'n,,' : pick(random, ['n,,', 'n,,', 'y,,']);
  const first = { mechanism, gs2, bare: `n=${pick(random, ['', '', '*', 'somebody'])},r=${nonce}`, nonce };
  const bytes = latin(first.gs2 + first.bare);
  const plain = { first, bytes: sasl(mechanism, bytes.length, bytes) };
  return honesty === 'wrong' && chance(random, damage) ? spoiltStart(random, first) : plain;
}

function spoiltStart(random: Random, right: ScramFirst): { readonly first: ScramFirst; readonly bytes: Buffer } {
  const first = { ...right };
  switch (upTo(random, 6)) {
    case 0: first.gs2 = pick(random, ['y,,', 'n,,', 'p=tls-server-end-point,,', 'p=tls-unique,,', 'p=,,', 'n,a=postgres,', 'N,,', 'n,', ',,', '']); break;
    case 1: first.bare = spoilt(random, right.bare); break;
    case 2: first.mechanism = pick(random, ['SCRAM-SHA-1', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'scram-sha-256', 'PLAIN', '', 'OAUTHBEARER', spoilt(random, right.mechanism)]); break;
    case 3: first.gs2 = spoilt(random, right.gs2); break;
    default:
  }
  const bytes = latin(first.gs2 + first.bare);
  const lengthWord = chance(random, 0.2) ? pick(random, [-1, 0, 1, bytes.length - 1, bytes.length + 1, -2, 0x7fff_ffff, -0x8000_0000, 70_000]) : bytes.length;
  const whole = sasl(first.mechanism, lengthWord, bytes);
  const cut = chance(random, 0.1) ? message('p', whole.subarray(5, 5 + upTo(random, whole.length - 5))) : whole;
  return { first, bytes: cut };
}

/** Null when the server's message is none that can be answered. */
export function scramEnd(answerer: Answerer, first: ScramFirst, payload: Buffer): { readonly server: ServerFirst; readonly bytes: Buffer } | null {
  const { random, password, honesty, damage, binding } = answerer;
  const server = readServerFirst(payload);
  if (server === null) return null;
  const channel = channelOf(first, first.mechanism.endsWith('-PLUS') ? binding : Buffer.alloc(0));
  const prove = (c: string, r: string): ScramFinal => scramFinal(password, first, server, c, r);
  const final = prove(channel, server.nonce);
  if (honesty === 'spoilt') return { server, bytes: message('p', spoiltFinal(random, final, prove)) };
  const text = finalText(final);
  return { server, bytes: message('p', honesty === 'wrong' && chance(random, damage) ? latin(spoilt(random, text.toString('latin1'))) : text) };
}

/**
 * The proof belongs to what was said before: with any of it changed it must not be taken, not even when it was made for what
 * was changed (somebody stands between, or says again what he has heard).
 */
function spoiltFinal(random: Random, final: ScramFinal, prove: (channel: string, nonce: string) => ScramFinal): Buffer {
  const { channel, nonce, proof } = final;
  const changed = (part: Partial<ScramFinal>): Buffer => finalText({ ...final, ...part });
  const other = (text: string): string => (text === 'biws' ? 'eSws' : 'biws');
  const longer = Buffer.concat([Buffer.from(channel, 'base64'), Buffer.from('x')]).toString('base64');
  switch (upTo(random, 12)) {
    case 0: return changed({ proof: flipped(random, proof) });
    case 1: return changed({ proof: proof.subarray(0, upTo(random, 32)) });
    case 2: return changed({ proof: Buffer.concat([proof, noise(random, 8), Buffer.from('x')]) });
    case 3: return changed({ nonce: spoilt(random, nonce) });
    case 4: return changed({ nonce: nonce.slice(0, 24) });
    case 5: return changed({ channel: other(channel) });
    case 6: return changed({ channel: longer });
    case 7: return latin(`c=${channel},r=${nonce},x=new,p=${proof.toString('base64')}`);
    case 8: return latin(`c=${channel},r=${nonce}`);
    case 9: return finalText(prove(pick(random, [longer, other(channel), '']), nonce));
    case 10: return finalText(prove(flipped(random, Buffer.from(channel, 'base64')).toString('base64'), nonce));
    default: return finalText(prove(channel, pick(random, [nonce.slice(0, -1), `${nonce}x`, nonce.slice(0, 24), `${nonce.startsWith('x') ? 'y' : 'x'}${nonce.slice(1)}`])));
  }
}
