/** The facts of one database in the relation cache that all workers share: how they are named and written there. */
import type { RelationCache } from '../../shared/memory/relation-cache.js';
import type { NameFacts } from './facts-query.js';
import type { NameInPlan } from './plan.js';

export type FactKind = 'relation' | 'function';

export interface SharedFact {
  readonly facts: NameFacts;
  /** When a server said so; whole seconds, rounded down. */
  readonly learntMs: number;
}

/** [seconds, flags, definitions] */
type Written = readonly [number, number, readonly string[] | null];

const bits = { catalog: 1, unlogged: 2, volatile: 4, opaque: 8 } as const;

export class SharedFacts {
  constructor(private readonly cache: RelationCache, private readonly database: string) {}

  /** What a worker has learnt in this generation of the data definition, or undefined. */
  get(generation: number, kind: FactKind, { schema, name }: NameInPlan): SharedFact | undefined {
    const text = this.cache.get(generation, [this.database, kind, schema, name]);
    if (text === undefined) return undefined;
    const [seconds, flags, definitions] = JSON.parse(text) as Written;
    const facts = {
      catalog: (flags & bits.catalog) !== 0, temporary: 'none' as const, unlogged: (flags & bits.unlogged) !== 0,
      volatile: (flags & bits.volatile) !== 0, opaque: (flags & bits.opaque) !== 0, definitions,
    };
    return { facts, learntMs: seconds * 1000 };
  }

  /** Shares a fact. A temporary relation goes with its session, and nobody is told: such facts are not shared. */
  put(generation: number, kind: FactKind, { schema, name }: NameInPlan, facts: NameFacts): void {
    if (facts.temporary !== 'none') return;
    const flags = (facts.catalog ? bits.catalog : 0) | (facts.unlogged ? bits.unlogged : 0)
      | (facts.volatile ? bits.volatile : 0) | (facts.opaque ? bits.opaque : 0);
    const written: Written = [Math.floor(Date.now() / 1000), flags, facts.definitions];
    this.cache.put(generation, [this.database, kind, schema, name], ascii(JSON.stringify(written)));
  }
}

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
