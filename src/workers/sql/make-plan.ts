/** Every Plan is made here, with all fields in one order, so that the hot path sees one hidden class. */
import { CountedKind } from '../../shared/memory/statement-counts.js';
import { StatementKind, type Plan } from './plan.js';

const noNames: readonly [] = [];

/** A plan of this kind whose other fields are those given, or nothing. */
export function makePlan(kind: StatementKind, given: Partial<Plan> = {}): Plan {
  return {
    kind,
    statements: given.statements ?? 1,
    relations: given.relations ?? noNames,
    functions: given.functions ?? noNames,
    writes: given.writes === undefined ? noNames : given.writes,
    opaque: given.opaque ?? false,
    setting: given.setting ?? null,
    transactionLocal: given.transactionLocal ?? false,
    beginAs: given.beginAs ?? 'BEGIN',
    beginIsolated: given.beginIsolated ?? false,
    begunAnywhere: given.begunAnywhere ?? false,
    chain: given.chain ?? false,
    deallocates: given.deallocates ?? null,
    executes: given.executes ?? null,
    prepares: given.prepares ?? null,
    discardAll: given.discardAll ?? false,
    ddl: given.ddl ?? false,
    own: given.own ?? null,
    countsAsSelect: given.countsAsSelect ?? false,
    counts: given.counts ?? (given.countsAsSelect === true ? CountedKind.select : CountedKind.other),
    scope: null,
    scopeGeneration: -1,
    scopeVerdict: null,
  };
}

/** What is done with a text nobody can read: the primary gets it, and the session's reads stay there. */
export function unreadablePlan(): Plan {
  return makePlan(StatementKind.write, { opaque: true, ddl: true, writes: null });
}
