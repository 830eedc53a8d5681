/**
 * What SHOW POOL_BACKEND_STATS counts for each node. A message that runs something (a Query, or an Execute) counts once for
 * each node it is sent to, by its first statement, as in Pgpool-II; what pgloom asks for itself counts nowhere.
 */
export const CountedKind = { select: 0, insert: 1, update: 2, delete: 3, ddl: 4, other: 5, panic: 6, fatal: 7, error: 8 } as const;
export type CountedKind = (typeof CountedKind)[keyof typeof CountedKind];

/** For text that runs nothing (empty), and for what is answered by pgloom itself. */
export const countsNothing = -1;

export const countedKinds = 9;
