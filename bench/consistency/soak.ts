/** Clients that come, check, and go, until enough has been asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { numbersFrom } from '../fuzz/fuzz.js';
import { pick, type Random } from '../fuzz/grammar.js';
import { cancelledQuery, leave } from './departures.js';
import { manyRows, pipeline, prepared } from './echoes.js';
import { Ledger, mostWrong } from './ledger.js';
import { committedWrites, ownWrites, temporaryTable } from './own-writes.js';
import { below, type Scenario } from './scenario.js';
import { databases, users } from './schema.js';
import { Session, SessionError, type Tamper } from './session.js';
import { Sightings } from './sightings.js';
import { growingRows, leftovers, settings } from './state.js';
import { quickTransfer, repeatedRead, sumUp, transfer } from './transfers.js';

/** With how often each is taken. */
const scenarios: Readonly<Record<string, readonly [scenario: Scenario, weight: number]>> = {
  sumUp: [sumUp, 4], transfer: [transfer, 4], quickTransfer: [quickTransfer, 2], repeatedRead: [repeatedRead, 2],
  ownWrites: [ownWrites, 4], committedWrites: [committedWrites, 2], temporaryTable: [temporaryTable, 1],
  prepared: [prepared, 6], manyRows: [manyRows, 3], pipeline: [pipeline, 5], settings: [settings, 3], growingRows: [growingRows, 6],
  cancelledQuery: [cancelledQuery, 0.5], leftovers: [leftovers, 0.5],
};
export const scenarioNames = Object.keys(scenarios);

export interface SoakOptions {
  /** Of pgloom, and of the server that is the primary. */
  readonly port: number;
  readonly primaryPort: number;
  /** Ends after so many queries or so many ms, whichever comes first. */
  readonly queries: number;
  readonly limitMs: number;
  readonly clients?: number;
  readonly seed?: number;
  /** Only these; all when not given. */
  readonly only?: readonly string[];
  readonly tamper?: Tamper;
}

/** A standby ends a read that is in the way of its replay: not an answer, not a wrong one either. */
const recoveryConflict = '40001';

export class Soak {
  readonly ledger = new Ledger();
  private ended = false;
  private readonly sightings = new Map<string, Sightings>();
  private readonly bag: string[] = [];

  constructor(private readonly options: SoakOptions) {
    for (const [name, [, weight]] of Object.entries(scenarios)) {
      if (options.only === undefined) for (let n = 0; n < weight * 10; n++) this.bag.push(name);
    }
    this.bag.push(...(options.only ?? []));
    for (const database of databases) this.sightings.set(database, new Sightings(options.primaryPort));
  }

  async run(): Promise<Ledger> {
    const { clients = 16, seed = 1, limitMs } = this.options;
    const timer = setTimeout(() => { this.ended = true; }, limitMs);
    try {
      await Promise.all(Array.from({ length: clients }, (_, n) => this.client(n, numbersFrom(seed * 1000 + n))));
    } finally {
      clearTimeout(timer);
    }
    return this.ledger;
  }

  /** How many of the reads that asked where they were each server answered. */
  get readsByPort(): Map<number, number> {
    const sums = new Map<number, number>();
    for (const { reads } of this.sightings.values()) for (const [port, count] of reads) sums.set(port, (sums.get(port) ?? 0) + count);
    return sums;
  }

  private get isOver(): boolean {
    return this.ended || this.ledger.queries >= this.options.queries || this.ledger.wrong.length >= mostWrong;
  }

  private async client(number: number, random: Random): Promise<void> {
    for (let visit = 1; !this.isOver; visit++) {
      try {
        await this.visit(`s${number}-${visit}`, random);
      } catch (error) {
        if (!(error instanceof SessionError && error.sqlState === recoveryConflict)) this.ledger.unexpected(reasonOf(error));
        await sleep(10);
      }
    }
  }

  private async visit(tag: string, random: Random): Promise<void> {
    const { ledger, options } = this;
    const database = pick(random, databases);
    const login = { port: options.port, user: pick(random, users), database, applicationName: pick(random, ['', 'soak one', 'soak two']) };
    const session = await Session.open(login, tag, ledger, options.tamper ?? null);
    const setting = { session, random, sightings: this.sightings.get(database) as Sightings };
    try {
      if (options.only === undefined) await this.act('leftovers', setting);
      for (let n = 1 + below(random, 30); n > 0 && !this.isOver; n--) await this.act(pick(random, this.bag), setting);
      await leave(setting);
    } finally {
      session.client.end();
    }
  }

  private async act(name: string, setting: Parameters<Scenario>[0]): Promise<void> {
    const { ledger } = this;
    await scenarios[name]?.[0](setting);
    ledger.byScenario.set(name, (ledger.byScenario.get(name) ?? 0) + 1);
    // A wrong answer would only lead to others.
    if (setting.session.wasWrong && this.options.tamper === undefined) throw new Error(`wrong answer in ${name}`);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof SessionError) return `${error.sqlState} ${error.message}`;
  return error instanceof Error ? error.message.replaceAll(/s\d+-\d+(\.\d+)?/g, 'tag') : String(error);
}
