/** One case: a connection that tries to log in, by the numbers of its own generator. */
import { message, query, startup, sync, terminate } from '../../../test/protocol/messages.js';
import { body, errorFields, int32, rowValues } from '../../../test/support/wire-fields.js';
import { pick, type Random } from '../grammar.js';
import { type Account, hasMd5Hash, loginAccounts, wrongAccounts, wrongPasswords } from './accounts.js';
import { type Answerer, endPoint, type Honesty, md5Answer, passwordAnswer, scramEnd, scramStart } from './answers.js';
import { chance, misframed, noise, spoilt, upTo } from './mutation.js';
import { open, type Opened } from './openings.js';
import { type Message, Peer, type Where } from './peer.js';
import type { ScramFirst } from './proofs.js';
import type { Sameness } from './sameness.js';

export interface CaseOptions {
  readonly where: Where;
  readonly random: Random;
  readonly hellos: readonly Buffer[];
  readonly tlsShare: number;
  readonly sameness: Sameness;
  /** By method md5 those with an md5 hash are asked otherwise than the rest, as PostgreSQL does where verifiers are the rule. */
  readonly tellsHashes: boolean;
}

export interface CaseEnd {
  /** Right logins get in, all others must not. */
  readonly loggedIn: boolean;
  readonly honesty: Honesty;
  readonly tls: boolean;
}

const rightShare = 0.03;
const spoiltShare = 0.25;
const mostRounds = 8;
/** Whoever waits for what need not come does so for this long at most. */
const quietMs = 15;

/** @throws Violation */
export async function runCase(options: CaseOptions): Promise<CaseEnd> {
  const conversation = new Conversation(options);
  try {
    return await conversation.run();
  } finally {
    conversation.peer.destroy();
  }
}

class Conversation {
  readonly peer: Peer;
  private readonly random: Random;
  private readonly account: Account;
  /** Of the startup packet, as pgloom reads it: not the account's where the name was spoilt. */
  private sentUser: string;
  private readonly honesty: Honesty;
  /** Does what it is asked to, with answers that are whole. */
  private readonly isPlain: boolean;
  private first: ScramFirst | null = null;
  private answerer!: Answerer;
  private opened: Opened = 'plain';

  constructor(private readonly options: CaseOptions) {
    const { random } = options;
    this.random = random;
    const roll = random();
    this.honesty = roll < rightShare ? 'right' : roll < rightShare + spoiltShare ? 'spoilt' : 'wrong';
    this.account = pick(random, this.honesty === 'wrong' ? wrongAccounts : loginAccounts);
    this.sentUser = this.account.user;
    this.isPlain = this.honesty !== 'wrong' || chance(random, 0.3);
    this.peer = new Peer(options.where, random, this.honesty === 'right');
  }

  async run(): Promise<CaseEnd> {
    const { peer, random, options } = this;
    if (!(await peer.connected())) throw peer.fail('refuses connections');
    this.opened = await open(peer, { ...options, isTcp: 'port' in options.where });
    let loggedIn = false;
    if (this.opened !== 'over' && !this.leavesNow()) {
      // Another user's right password, but not where the name may be spoilt into that user's.
      const others = this.isPlain ? loginAccounts.slice(0, 1).map((account) => account.password ?? '') : [];
      const password = this.honesty === 'wrong' ? pick(random, [...wrongPasswords, ...others]) : this.account.password ?? '';
      const isOwn = this.honesty === 'wrong' && password === this.account.password;
      this.answerer = {
        random, user: this.account.user, password: isOwn ? 'other' : password, honesty: this.honesty, damage: this.isPlain ? 0 : 0.6,
        binding: this.opened === 'tls' ? endPoint(peer.stream) : Buffer.alloc(0),
      };
      loggedIn = await this.login();
    }
    peer.leave();
    if (peer.violation !== null) throw peer.violation;
    return { loggedIn, honesty: this.honesty, tls: this.opened === 'tls' };
  }

  private leavesNow(): boolean {
    return this.honesty !== 'right' && chance(this.random, 0.02);
  }

  private async login(): Promise<boolean> {
    const { peer, random } = this;
    const right = startup({ user: this.account.user, database: 'test', ...(chance(random, 0.2) && { application_name: 'fuzz' }) });
    if (!this.isPlain && chance(random, 0.05)) return this.brokenStartup(right);
    const isRight = this.isPlain || chance(random, 0.85);
    const packet = isRight ? right : this.oddStartup(right);
    // Guessing blindly what will be asked.
    const early = !this.isPlain && chance(random, 0.1) ? this.disobedience() : Buffer.alloc(0);
    await peer.write(Buffer.concat([packet, early]));
    let isDue = isRight;
    for (let round = 0; round < mostRounds; round++) {
      const reply = isDue ? await peer.next() : await peer.nextSoon(quietMs);
      if (reply === undefined || this.leavesNow()) return false;
      if (reply === null || reply.type === 'E') return this.refused(reply);
      if (reply.type !== 'R') continue;
      if (reply.payload.readInt32BE(0) === 0) return this.welcomed();
      isDue = await this.answer(reply);
    }
    return false;
  }

  /** @returns whether something has to come back */
  private async answer({ payload }: Message): Promise<boolean> {
    const { peer, random } = this;
    if (!this.isPlain && chance(random, 0.12)) {
      await peer.write(this.disobedience());
      return false;
    }
    const bytes = this.answerTo(payload);
    if (bytes === null) return true;
    if (this.isPlain) {
      // A client need not wait with its first query, and is not heard before it is let in.
      const isEnd = ![10, 11].includes(payload.readInt32BE(0)) && chance(random, 0.2);
      await peer.write(isEnd ? Buffer.concat([bytes, query("select 'early'")]) : bytes);
      return true;
    }
    const roll = random();
    if (roll < 0.1) {
      await peer.write(misframed(random, bytes, true));
      return false;
    }
    const behind = roll < 0.2 ? this.disobedience() : roll < 0.25 ? bytes : Buffer.alloc(0);
    await peer.write(Buffer.concat([bytes, behind]));
    return true;
  }

  private answerTo(payload: Buffer): Buffer | null {
    const { answerer } = this;
    switch (payload.readInt32BE(0)) {
      case 3: return passwordAnswer(answerer);
      case 5:
        this.options.sameness.addMd5Salt(this.sentUser, payload.toString('hex', 4));
        return md5Answer(answerer, payload.subarray(4, 8));
      case 10: {
        const { first, bytes } = scramStart(answerer, payload.toString('latin1', 4).split('\0'));
        this.first = first;
        return bytes;
      }
      case 11: {
        const end = this.first === null ? null : scramEnd(answerer, this.first, payload.subarray(4));
        if (end === null) return noise(this.random, 50);
        this.options.sameness.addScramSalt(this.sentUser, end.server.salt, end.server.iterations);
        return end.bytes;
      }
      default: return null;
    }
  }

  private async refused(error: Message | null): Promise<false> {
    const { peer, account, options } = this;
    if (this.honesty === 'right') {
      const { C, M } = error === null ? {} : errorFields(error);
      throw peer.fail(`refused the right login of ${account.user}: ${peer.transcript}${C ?? 'connection closed'} ${M ?? ''}`);
    }
    // Behind a FATAL error comes the end of the connection.
    if (error !== null) while (await peer.next() !== null);
    const [, method] = account.user.split('_');
    if (this.honesty === 'wrong' && this.isPlain && method !== undefined && ['md5', 'scram', 'password'].includes(method)) {
      const text = error === null ? 'nothing' : JSON.stringify(errorFields(error)).replaceAll(account.user, 'USER');
      const hash = options.tellsHashes && hasMd5Hash(account) ? ' with a hash' : '';
      // Channel binding is offered over TLS only.
      options.sameness.addRefusal(`${method}${hash}${this.opened === 'tls' ? ' over TLS' : ''}`, `${peer.transcript}${text}`, account.user);
    }
    return false;
  }

  /** In: a query and its answer, or what was sent ahead. */
  private async welcomed(): Promise<true> {
    const { peer } = this;
    await peer.write(Buffer.concat([query("select 'in'"), sync]));
    const rows: (string | null)[] = [];
    for (let ready = 0; rows.at(-1) !== 'in' || ready < 2;) {
      const reply = await peer.next();
      if (reply === null) throw peer.fail(`ended a right session: ${peer.transcript}`);
      if (reply.type === 'D') rows.push(rowValues(reply)[0] ?? null);
      if (reply.type === 'Z') ready++;
      if (reply.type === 'E') throw peer.fail(`answered a right query with ${JSON.stringify(errorFields(reply))}`);
    }
    await peer.write(terminate);
    return true;
  }

  /** By chance it may be any first packet there is. */
  private async brokenStartup(right: Buffer): Promise<false> {
    const { peer, random } = this;
    const noisy = Buffer.concat([int32(12 + upTo(random, 20)), int32(196_608), noise(random, 60)]);
    peer.expect('raw');
    await peer.write(Buffer.concat([chance(random, 0.8) ? misframed(random, right, false) : noisy, chance(random, 0.3) ? this.disobedience() : Buffer.alloc(0)]));
    await peer.nextSoon(quietMs);
    return false;
  }

  /** Well framed. */
  private oddStartup(right: Buffer): Buffer {
    const { random } = this;
    const { user } = this.account;
    switch (upTo(random, 6)) {
      case 1: {
        const name = spoilt(random, user);
        [this.sentUser = ''] = name.split('\0');
        return startup({ user: name, database: 'test' });
      }
      case 2: return startup({ user, database: spoilt(random, 'test') });
      case 3: return startup({ user, database: 'test' }, pick(random, [196_609, 196_610, 131_072, 262_144, 0, -1, 80_877_102]));
      case 4: return startup({ user, database: 'test', ...pick(random, [{ options: '-c role=postgres' }, { replication: 'database' }, { '_pq_.x': 'y' }, { USER: 'postgres' }, { session_authorization: 'postgres' }, { role: 'postgres' }]) });
      case 5: return startup(pick<Record<string, string>>(random, [{}, { database: 'test' }, { user: '' }, { user: 'x'.repeat(upTo(random, 9_900)) }]));
      default: return Buffer.concat([right, right]);
    }
  }

  /** What was not asked for. */
  private disobedience(): Buffer {
    const { random } = this;
    return pick<() => Buffer>(random, [
      () => query("select 'in'"), () => query('show pool_nodes'), () => query("pgpool set client_idle_limit to '1'"), () => sync, () => terminate, () => message('p'), () => message('p', body('')),
      () => message('p', body('SCRAM-SHA-256', int32(-1))), () => message('p', noise(random, 3000)), () => startup({ user: 'fuzz_md5', database: 'test' }),
      () => Buffer.concat([int32(8), int32(80_877_103)]), () => Buffer.concat([int32(16), int32(80_877_102), noise(random, 8)]), () => message('B', noise(random, 40)),
      () => message('P', body('', 'select 1', Buffer.alloc(2))), () => message('d', noise(random, 4000)), () => message('F', noise(random, 40)), () => noise(random, 300),
      () => Buffer.concat([message('p', body('x')), query("select 'in'"), message('p', body('y'))]),
    ])();
  }
}
