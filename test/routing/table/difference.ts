/**
 * Why a row of the table has another answer than Pgpool-II's. Each is a line of the README's table of differences; what is
 * said here is that line's reason.
 */
export const differences = {
  /** README: "isolation above READ COMMITTED". */
  isolation: 'one transaction must not see two snapshots',
  /** README: "SAVEPOINT, RELEASE, ROLLBACK TO". */
  savepoints: 'what a savepoint takes back cannot be followed on two nodes',
  /** README: "SET LOCAL, SET TRANSACTION, SET in a transaction". */
  transactionSettings: 'a setting of the transaction cannot be followed on two nodes, so the rest of it stays on the primary',
  /** README: "state that cannot be followed". */
  unfollowed: 'the reader would answer from another state',
  /** README: "unknown table". */
  unknownTable: 'it may be there, and not yet on the standby',
  /** README: "unknown function". */
  unknownFunction: 'it may do anything',
  /** README: "views, row security". */
  views: 'a view can call a writing function or read what the standby cannot',
  /** README: "information_schema named, sequences read". */
  serversOwn: 'its content is the server\'s own',
  /** README: "SET". Also BEGIN and the like: said to a node when the session first reads there. */
  lazily: 'links are opened when needed',
  /** Pgpool-II balances reads of a transaction that was begun in a string of several statements. */
  openedInString: 'the reader has no such transaction, and a read there would not see what it wrote',
  /** Pgpool-II answers 25P02 itself; by the extended protocol it reads on the primary, or ends the session. */
  failed: 'the server knows whether the transaction has failed, and says it in both protocols',
  /** Pgpool-II does not look at what a COPY … TO STDOUT reads. */
  copied: 'it is read like any other: the standby has no temporary or unlogged rows, locks none and calls nothing that writes',
  /** Pgpool-II looks for DML in the outermost WITH only. */
  innerWith: 'what holds DML is not a read; the server refuses it anyway',
  /** Pgpool-II takes the name of a common table expression for a table of that name. */
  commonTable: 'it is the common table expression that is read',
  /** Pgpool-II goes by the volatility alone. */
  failsOnStandby: 'it fails on a standby',
  /** Pgpool-II sends DEALLOCATE of an unknown name to both nodes. */
  unknownName: 'one node is enough to say that there is no such statement',
  /** Pgpool-II sends LOCK in the modes ACCESS SHARE and ROW SHARE to both nodes. */
  weakLocks: 'the reads behind it go to the primary, so a lock on the reader would protect nothing',
  /** Pgpool-II's dml_adaptive knows INSERT, UPDATE, DELETE and locking reads, and forgets all at ROLLBACK TO. */
  ownWrites: 'the session would not read its own writes',
  /** Pgpool-II 4.3 sends PREPARE and EXECUTE to the primary; later ones send EXECUTE where the query goes. */
  executeAsQuery: 'it is the query that is read',
  /** Pgpool-II waits for an answer that never comes. */
  hangs: 'the client has to get an answer',
  /** Pgpool-II takes the session for one in a failed transaction when PREPARE TRANSACTION has failed. */
  notFailed: 'there is no transaction any more',
} as const;

export type Difference = (typeof differences)[keyof typeof differences];
