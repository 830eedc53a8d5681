/** Measures in this process what routing adds to one statement. Times in µs of CPU, medians of rounds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/main/config/load.js';
import { NodeStatus, NodeTable } from '../../src/shared/memory/node-table.js';
import type { Settings } from '../../src/shared/settings.js';
import { Router } from '../../src/workers/route/router.js';
import { RoutingRules } from '../../src/workers/route/routing-rules.js';
import { WriteTracking } from '../../src/workers/route/write-tracking.js';
import { classify } from '../../src/workers/sql/classify.js';
import { textMayLeave } from '../../src/workers/sql/first-character.js';
import { parseTree } from '../../src/workers/sql/grammar.js';
import { PlanCache } from '../../src/workers/sql/plan-cache.js';
import type { Plan } from '../../src/workers/sql/plan.js';
import { RelationFacts } from '../../src/workers/sql/relation-facts.js';
import { shapeOf } from '../../src/workers/sql/shape.js';
import { textOf } from './statements.js';

/** µs of CPU a statement. */
export interface RoutingCost {
  readonly statement: string;
  readonly sizeBytes: number;
  /** planOf: the text has been there, its shape has, neither has. */
  readonly textKnown: number;
  readonly shapeKnown: number;
  readonly fresh: number;
  /** Parts of `fresh`: the shape, the grammar with its tree, the plan made of the tree. */
  readonly shape: number;
  readonly parse: number;
  readonly classify: number;
  /** The verdict from facts that are known, for a plan that was judged before and for a new one. */
  readonly verdictKnown: number;
  readonly verdictFresh: number;
  /** textMayLeave and Router.nodeFor. */
  readonly mayLeave: number;
  readonly nodeFor: number;
  /** planOf + textMayLeave + nodeFor (which asks for the verdict). */
  readonly addsKnownText: number;
  readonly addsKnownShape: number;
  /** The same for what is seen for the first time, the verdict being new as well, without `parse`. */
  readonly addsFreshButParse: number;
  readonly addsFresh: number;
}

const rounds = 5;
const many = 20_000;
const few = 300;

/** A reply of the catalog to any question: all that is asked about is there and harmless. */
const harmless = Array.from({ length: 200 }, (_, i) => [['relation', String(i), 'f', 'none', 'f', '0'], ['function', String(i), 'f', 'f', null, null]] as (string | null)[][]).flat();

export class RoutingBench {
  private readonly settings: Settings;
  private readonly nodes = new NodeTable();
  private readonly facts: RelationFacts;
  private readonly router: Router;
  /** Keeps results alive, so that nothing is optimized away. */
  private sink = 0;

  constructor() {
    this.settings = settingsOf(3);
    this.nodes.setCount(3);
    for (let node = 0; node < 3; node++) this.nodes.setStatus(node, NodeStatus.up);
    this.nodes.setPrimary(0);
    const rules = new RoutingRules(this.settings);
    this.facts = new RelationFacts(() => this.settings);
    this.router = new Router(this.nodes, this.settings, this.facts, new WriteTracking(this.settings, rules.relationships, null), null);
    this.router.loadBalanceNode = 1;
  }

  async measure(statement: string, text: string): Promise<RoutingCost> {
    const sample = textOf(text, 12_345);
    const plan = new PlanCache().planOf(sample);
    await this.facts.verdict(plan, this.nodes.ddlGeneration, () => Promise.resolve(harmless));
    const textKnown = this.textKnown(sample);
    const shapeKnown = this.shapeKnown(text);
    const fresh = this.fresh(text);
    const bytes = Buffer.from(sample, 'latin1');
    const shape = this.time(few, () => this.sink += shapeOf(sample)?.length ?? 0);
    const parse = this.time(few, () => this.sink += parseTree(sample) === null ? 0 : 1);
    const classified = this.time(few, () => this.sink += classify(sample).statements) - parse;
    const generation = this.nodes.ddlGeneration;
    const verdictKnown = this.time(many, () => this.sink += this.facts.quickVerdict(plan, generation) === 'balance' ? 1 : 0);
    const verdictFresh = this.time(many, () => {
      forget(plan);
      this.sink += this.facts.quickVerdict(plan, generation) === 'balance' ? 1 : 0;
    });
    const mayLeave = this.time(many, () => this.sink += textMayLeave(bytes, 0, bytes.length, this.settings, null) ? 1 : 0);
    const nodeFor = this.time(many, () => this.sink += this.router.nodeFor(plan, true));
    return {
      statement, sizeBytes: sample.length, textKnown, shapeKnown, fresh, shape, parse, classify: Math.max(0, classified), verdictKnown, verdictFresh, mayLeave, nodeFor,
      addsKnownText: textKnown + mayLeave + nodeFor,
      addsKnownShape: shapeKnown + mayLeave + nodeFor,
      addsFreshButParse: Math.max(0, fresh - parse) + verdictFresh + mayLeave + nodeFor,
      addsFresh: fresh + verdictFresh + mayLeave + nodeFor,
    };
  }

  private textKnown(sample: string): number {
    const cache = new PlanCache();
    const bytes = Buffer.from(sample, 'latin1');
    for (let n = 0; n < 3; n++) cache.planOf(sample);
    return this.time(many, () => this.sink += cache.planOf(bytes.latin1Slice(0, bytes.length)).statements);
  }

  private shapeKnown(text: string): number {
    const cache = new PlanCache();
    // More of them than the memory for texts holds, so that it is the shape that is found.
    const texts = Array.from({ length: many }, (_, n) => Buffer.from(textOf(text, n * 7919 + 1), 'latin1'));
    for (const bytes of texts) cache.planOf(bytes.latin1Slice(0, bytes.length));
    let at = 0;
    return this.time(many, () => {
      const bytes = texts[at++ % many] as Buffer;
      this.sink += cache.planOf(bytes.latin1Slice(0, bytes.length)).statements;
    });
  }

  private fresh(text: string): number {
    let number = 0;
    let cache = new PlanCache();
    return this.time(few, () => {
      if (number % 100 === 0) cache = new PlanCache();
      this.sink += cache.planOf(textOf(text, 12_345, `_${number++}`)).statements;
    });
  }

  /** Median over the rounds of the µs of CPU that one call takes, garbage collection with it. */
  private time(calls: number, call: () => void): number {
    for (let n = 0; n < calls; n++) call();
    const results: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = process.cpuUsage();
      for (let n = 0; n < calls; n++) call();
      const { user, system } = process.cpuUsage(before);
      results.push((user + system) / calls);
    }
    return results.sort((a, b) => a - b)[rounds >> 1] ?? NaN;
  }
}

/** The plan as if nobody had asked about it. */
function forget(plan: Plan): void {
  plan.scope = null;
  plan.scopeVerdict = null;
}

/** Settings of a cluster of so many nodes, all other parameters at their defaults. */
function settingsOf(nodes: number): Settings {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-routing-'));
  try {
    const file = join(directory, 'pgpool.conf');
    const lines = Array.from({ length: nodes }, (_, id) => `backend_hostname${id} = '127.0.0.1'\nbackend_port${id} = ${5432 + id}\nbackend_weight${id} = 1\n`);
    writeFileSync(file, `backend_clustering_mode = 'streaming_replication'\nload_balance_mode = on\n${lines.join('')}`);
    return loadConfig(file).settings;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
