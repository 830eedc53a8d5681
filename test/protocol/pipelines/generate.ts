/** Random pipelines: valid messages in valid and invalid orders, the same for the same seed. */
import { balanced, bound, copies, copyLines, session, transaction, writes, type PoolStatement } from './statements.js';
import { isComparable, querySteps as make, type Step } from './step.js';

export type Random = () => number;

/** Numbers in [0, 1) that are the same in each run with the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const names = ['', '', 's1', 's2', 's3'] as const;
const portals = ['', '', 'p1', 'p2', 'c', 'h'] as const;
const limits = [0, 0, 0, 1, 2, 5] as const;

/** How often each kind of statement is said; drawn anew for each pipeline, so that pipelines differ in character. */
interface Taste {
  readonly kinds: readonly (readonly PoolStatement[])[];
  /** Statements that all pipelines of this taste come back to. */
  readonly favourites: readonly PoolStatement[];
  readonly flushes: number;
  readonly errs: number;
}

function tasteOf(random: Random): Taste {
  const reads = [balanced, balanced, balanced, balanced];
  const kinds = pick(random, [
    [...reads, ...reads, writes, transaction, transaction, bound],
    [...reads, ...reads, ...reads, writes],
    [...reads, session, session, transaction],
    [...reads, writes, writes, bound, transaction, session],
    [balanced, balanced, transaction, transaction, writes],
  ]);
  const favourites = Array.from({ length: 3 }, () => pick(random, balanced));
  return { kinds, favourites, flushes: pick(random, [0, 0.1, 0.3]), errs: pick(random, [0, 0.1]) };
}

/** What has been said of names, whether or not it succeeded. */
class Said {
  readonly statements = new Map<string, PoolStatement>();
  readonly portals = new Set<string>();
  constructor(readonly random: Random, readonly taste: Taste) {}

  statement(): PoolStatement {
    if (this.random() < 0.3) return pick(this.random, this.taste.favourites);
    return pick(this.random, pick(this.random, this.taste.kinds));
  }
}

const valuesFor = (random: Random, { values }: PoolStatement): readonly (string | null)[] => (values.length === 0 ? [] : pick(random, values));

/** A pipeline; at its end no transaction is open. */
export function generate(seed: number): Step[] {
  const random = randomFrom(seed);
  const said = new Said(random, tasteOf(random));
  const steps: Step[] = [];
  for (let parts = 2 + Math.floor(random() * 9); parts > 0; parts--) steps.push(...part(said));
  // The end of a batch may be missing where nothing comes behind it: see isComparable.
  if (random() < 0.1) {
    if (steps.at(-1) === make.sync) steps.pop();
    steps.push(make.query(simpleText(said)));
  }
  const kept: Step[] = [];
  for (const step of steps) if (isComparable([...kept, step])) kept.push(step);
  return kept;
}

/** What ends every pipeline, however it stands. */
export const ending: readonly Step[] = [make.sync, make.query('rollback')];

function part(said: Said): Step[] {
  const { random } = said;
  const roll = random();
  if (roll < 0.3) return [make.query(simpleText(said))];
  if (roll < 0.5) return [...whole(said), make.sync];
  if (roll < 0.92) return batch(said);
  return [copyStep(said)];
}

function simpleText(said: Said): string {
  const { random } = said;
  const without = (): string => {
    for (;;) {
      const statement = said.statement();
      if (statement.values.length === 0) return statement.text;
    }
  };
  return random() < 0.12 ? Array.from({ length: 2 + Math.floor(random() * 2) }, without).join('; ') : without();
}

/** Parse, Bind, Describe, Execute of the unnamed statement, as drivers send it. */
function whole(said: Said): Step[] {
  const { random } = said;
  const statement = said.statement();
  said.statements.set('', statement);
  const steps = [make.parse(statement.text, ''), make.bind(valuesFor(random, statement), '', '', statement.reads)];
  if (random() < 0.6) steps.push(make.describe('P', ''));
  return [...steps, make.execute('', pick(random, limits))];
}

function batch(said: Said): Step[] {
  const { random, taste } = said;
  const steps: Step[] = [];
  for (let messages = 1 + Math.floor(random() * 8); messages > 0; messages--) {
    steps.push(...inBatch(said));
    if (random() < taste.flushes) steps.push(make.flush);
  }
  return random() < 0.04 ? [...steps, make.sync, make.sync] : [...steps, make.sync];
}

function inBatch(said: Said): Step[] {
  const { random, taste } = said;
  const roll = random();
  if (roll < 0.35) return whole(said);
  if (roll < 0.5) {
    const statement = said.statement();
    const name = pick(random, names);
    const steps = name !== '' && said.statements.has(name) && random() < 0.8 ? [make.close('S', name)] : [];
    said.statements.set(name, statement);
    return [...steps, make.parse(statement.text, name)];
  }
  if (roll < 0.75) return bindOne(said);
  if (roll < 0.82) return [make.execute(pick(random, said.portals.size > 0 ? [...said.portals] : portals), pick(random, limits))];
  if (roll < 0.88) return [make.describe('S', pick(random, names))];
  if (roll < 0.93) return [make.describe('P', pick(random, portals))];
  if (roll < 0.97) return [make.close(pick(random, ['S', 'P'] as const), pick(random, [...names, ...portals]))];
  return random() < taste.errs ? [make.parse('selekt', pick(random, names))] : [make.flush];
}

/** Bind and perhaps Execute of a name that has been parsed, or of one that has not. */
function bindOne(said: Said): Step[] {
  const { random, taste } = said;
  const known = [...said.statements.keys()];
  const name = known.length > 0 && random() > taste.errs ? pick(random, known) : pick(random, names);
  const statement = said.statements.get(name);
  const portal = pick(random, portals);
  if (portal !== '') said.portals.add(portal);
  const steps: Step[] = [];
  if (portal !== '' && random() < 0.5) steps.push(make.close('P', portal));
  steps.push(make.bind(statement === undefined ? [] : valuesFor(random, statement), name, portal, statement?.reads === true));
  if (random() < 0.3) steps.push(make.describe('P', portal));
  if (random() < 0.85) steps.push(make.execute(portal, pick(random, limits)));
  if (random() < 0.2) steps.push(make.execute(portal, pick(random, limits)));
  return steps;
}

function copyStep({ random }: Said): Step {
  const text = pick(random, copies);
  const lines = pick(random, copyLines);
  const fails = random() < 0.15;
  return random() < 0.6 ? make.copyIn(text, lines, fails) : make.copyInBatch(text, lines, fails, random() < 0.4);
}
