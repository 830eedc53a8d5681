/** Transactions: how they begin and end, savepoints, failures, and the reads inside them. */
import { differences } from './difference.js';
import { after, both, extended, primary, reader, rows, type Row, type RowGroup } from './row.js';

/** Whether a transaction is open where this is read: it began before the statement that asks. */
const open = 'now() < statement_timestamp()';
const insert = 'insert into scratch values (1)';

const beginnings: readonly Row[] = [
  ...['begin', 'BEGIN WORK', 'begin transaction', 'start transaction', 'begin isolation level read committed', 'begin read write', 'start transaction read write',
    'begin isolation level read uncommitted'].map((sql) => both(sql, open)),
  both('begin read only', open), both('start transaction isolation level read committed, read only', open),
  ...rows('primary', ['begin isolation level repeatable read', 'start transaction isolation level serializable', 'begin isolation level serializable read only deferrable', 'begin deferrable',
    'begin isolation level repeatable read read only'], { pgpool: 'both', because: differences.isolation }),
  ...['begin', insert].flatMap((first) => after(first === 'begin' ? ['begin'] : ['begin', insert], ['commit', 'end', 'COMMIT WORK', 'rollback', 'abort', 'end transaction', 'rollback work'].map((sql) => both(sql, open)))),
  ...after(['begin', 'select 1'], ['commit', 'rollback'].map((sql) => both(sql, open))),
  ...after(['begin', 'select 1/0'], ['commit', 'rollback'].map((sql) => both(sql, open))),
];

const within: readonly Row[] = [
  ...after(['begin'], [...rows('reader', ['select 1', 'select * from items', 'show work_mem', 'copy items to stdout']), ...rows('primary', [insert, 'select bump()', 'values (1)', '/* a */ select 1'])]),
  ...after(['begin', 'select 1'], [reader('select * from items'), primary(insert)]),
  ...after(['begin read only'], [reader('select 1'), reader('select * from items'), primary(insert)]),
  ...after(['begin read write'], [reader('select 1'), primary(insert)]),
  ...after(['begin isolation level serializable'], [primary('select 1'), primary('select * from items'), primary('show work_mem')]),
  ...after(['begin isolation level repeatable read'], rows('primary', ['select 1', 'select * from items'], { pgpool: 'reader', because: differences.isolation })),
  ...after(['begin', 'set transaction isolation level serializable'], rows('primary', ['select 1', 'select * from items'])),
  ...after(['begin', 'set transaction read only'], rows('primary', ['select 1'], { pgpool: 'reader', because: differences.transactionSettings })),
  ...after(['begin', "set local work_mem = '5MB'"], rows('primary', ["select current_setting('work_mem')"])),
  ...after(['begin', "set work_mem = '5MB'"], rows('primary', ["select current_setting('work_mem')"])),
  reader("select current_setting('work_mem')", { before: ['begin', "set work_mem = '5MB'", 'commit'] }),
  reader('select 1', { before: ["set default_transaction_isolation = 'read committed'", 'begin'] }),
  primary('select 1', { before: ["set default_transaction_isolation = 'serializable'", 'begin'] }),
  primary('select 1', { before: ['set session characteristics as transaction isolation level serializable', 'begin'] }),
];

const savepoints: readonly Row[] = [
  ...after(['begin'], [
    ...rows('primary', ['savepoint a', 'SAVEPOINT "A b"'], { pgpool: 'both', because: differences.savepoints }),
    ...after(['savepoint a'], [
      ...rows('primary', ['release a', 'release savepoint a', 'rollback to a', 'rollback to savepoint a', 'rollback work to a', 'savepoint b'], { pgpool: 'both', because: differences.savepoints }),
      primary(insert),
    ]),
    ...after(['savepoint a'], [both('commit', open), both('rollback', open)]),
    both('commit', open, { before: ['savepoint a', insert, 'rollback to a'] }),
  ]),
  ...rows('primary', ['savepoint a', 'release a'], { pgpool: 'both', because: differences.savepoints }),
];

/** Outside of a transaction. */
const outside: readonly Row[] = rows('primary', ['commit', 'rollback', 'abort', 'rollback to a']);
const outsideExtended: readonly Row[] = [
  ...['commit', 'rollback', 'abort'].map((sql) => both({ extended: sql }, open)),
  primary({ extended: 'rollback to a' }, { pgpool: 'both', because: differences.savepoints }),
];

const readerFailed = ['begin', 'select 1/0'];
const primaryFailed = [['begin', insert, 'select 1/0'], ['begin', 'insert into items values (1, null)']];

const failed: readonly Row[] = [
  ...rows('reader', ['select 1', insert, 'begin', 'savepoint a'], { before: readerFailed, pgpool: 'none', because: differences.failed }),
  ...primaryFailed.flatMap((before) => rows('primary', ['select 1', insert], { before, pgpool: 'none', because: differences.failed })),
];

const failedExtended: readonly Row[] = extended([
  ...rows('reader', ['select 1', insert], { before: readerFailed, pgpool: 'primary', because: differences.failed }),
  ...rows('reader', ['begin', 'savepoint a'], { before: readerFailed, pgpool: 'both', because: differences.failed }),
  ...primaryFailed.flatMap((before) => rows('primary', ['select 1', insert], { before })),
]);

const afterFailed: readonly Row[] = rows('reader', ['select 1'])
  .flatMap((read) => [[...readerFailed, 'rollback'], [...readerFailed, 'commit'], ['begin', 'insert into items values (1, null)', 'rollback'],
    ['insert into items values (1, null)'], ['select 1/0']].flatMap((before) => after(before, [read])));

export const transactionGroups: readonly RowGroup[] = [
  { topic: 'transactions', rows: [...beginnings, ...within, ...savepoints, ...outside, ...failed, ...afterFailed] },
  { topic: 'transactions by the extended protocol', rows: [...extended([...beginnings, ...within, ...savepoints, ...afterFailed]), ...outsideExtended, ...failedExtended] },
];
