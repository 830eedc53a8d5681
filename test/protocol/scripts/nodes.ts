/** Pipelines whose statements belong to different nodes. */
import { bind, close, describe, execute, extended, flush, parse, query, sync } from '../messages.js';
import { alone, queries, type Script } from './script.js';

const read = 'select name from items where id = $1';
const item = (id: number): Buffer[] => extended(read, [String(id)]);
const some = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const;

const simple: readonly Script[] = [
  { name: 'simple reads and writes in turn', messages: queries('create temp table t (n int)', ...some.flatMap((n) => [`insert into t values (${n})`, `select name from items where id = ${n}`]), 'select count(*) from t') },
  { name: 'simple reads and writes to a table that all see, in turn', messages: some.flatMap((n) => queries(`update items set name = name where id = ${n}`, `select name from items where id = ${n}`)) },
  { name: 'reads around a write, a locking read and a volatile function', messages: queries('select 1', 'select name from items where id = 1 for update', 'select 2', 'select name from items where id = 2 for share', 'select 3', 'select volatile_one()', 'select 4', 'select stable_one(), immutable_one()', 'select 5') },
  { name: 'reads of what a standby does not have', messages: queries('select 1', 'select count(*) from unlogged_items', 'select 2', 'create temp table t (n int)', 'select n from t', 'select 3') },
  { name: 'reads that call what writes', messages: queries('begin', 'select 1', 'select bump() > 0', 'select count(*) > 0 from bumps', 'rollback', 'select 2') },
  { name: 'a CTE that writes between reads', messages: queries('begin', 'select 1', "with w as (insert into items values (1001, 'cte') returning id) select id from w", 'select name from items where id = 1001', 'rollback', 'select name from items where id = 1001') },
  { name: 'SELECT INTO and CREATE TABLE AS between reads', messages: queries('select 1', 'select 5 as n into temp into_one', 'select n from into_one', 'create temp table into_two as select 6 as n', 'select n from into_two', 'select 2') },
  { name: 'EXPLAIN, EXPLAIN ANALYZE of a write', messages: queries('select 1', 'explain (costs off) select 1', 'begin', 'explain (analyze, costs off, timing off, summary off, buffers off) delete from items where false', 'rollback', 'select 2') },
  { name: 'a write that fails between reads', messages: queries('select 1', "insert into items values (1, 'again')", 'select 2', 'create table items ()', 'select 3', 'drop table nothere', 'select 4') },
  { name: 'strings of several statements between reads', messages: queries('select 1', 'select 2; select name from items where id = 1', 'select 3', 'create temp table m (n int); insert into m values (1); select n from m', 'select n from m', 'select 1; select 1/0; select 2', 'select 4') },
];

const flushed: readonly Script[] = [
  { name: 'a read, Flush, and a locking read', messages: [...item(1), flush, ...extended('select name from items where id = 2 for update'), flush, ...item(3), sync, ...item(4), sync] },
  { name: 'a read, Flush, and a volatile function', messages: [...item(1), flush, ...extended('select volatile_one()'), sync, ...item(2), sync] },
  { name: 'a read, Flush, a write, Flush, a read', messages: [...item(1), flush, ...extended('update items set name = name where id = $1', ['2']), flush, ...item(2), flush, sync, ...item(3), sync] },
  { name: 'a read, Flush, a read that fails, and a write', messages: [...item(1), flush, ...extended('select 1/0'), flush, ...extended('create temp table x (n int)'), sync, query('select count(*) from x')] },
  { name: 'a read, Flush, a write that fails, and a read', messages: [...item(1), flush, ...extended("insert into items values (1, 'x')"), ...item(2), sync, ...item(3), sync] },
  { name: 'a read that fails, Flush, and a write that is skipped', messages: [...extended('select 1/0'), flush, ...extended('create temp table x (n int)'), flush, sync, query('select count(*) from x')] },
  { name: 'a read, Flush, and SET', messages: [...item(1), flush, ...extended("set intervalstyle = 'sql_standard'"), ...extended("select interval '1 day 2 hours'"), sync, ...alone("select interval '1 day 3 hours'")] },
  { name: 'a read, Flush, and BEGIN', messages: [...item(1), flush, ...extended('begin'), ...item(2), sync, ...item(3), sync, ...alone('commit'), ...item(4), sync] },
  { name: 'a read, Flush, and a named portal', messages: [...item(1), flush, parse('select id from items order by id', 's'), bind([], 's', 'p'), execute('p', 2), flush, execute('p', 2), sync] },
  { name: 'a read, Flush, a temporary table and a read of it', messages: [...item(1), flush, ...extended('create temp table x as select 8 as n'), ...extended('select n from x'), flush, ...item(2), sync, ...alone('select n from x')] },
  { name: 'a named statement parsed, flushed, and bound after a write', messages: [parse(read, 's'), flush, ...extended('create temp table x (n int)'), bind(['3'], 's'), execute(), sync, bind(['4'], 's'), execute(), sync] },
  { name: 'the unnamed statement parsed, flushed, and described after a write under a name', messages: [parse(read), flush, parse('create temp table x (n int)', 'w'), bind([], 'w', 'q'), execute('q'), describe('S'), bind(['3']), execute(), sync] },
  { name: 'Close behind a flushed read, and a write', messages: [parse(read, 's'), bind(['1'], 's'), execute(), flush, close('S', 's'), ...extended('create temp table x (n int)'), parse('select 2', 's'), bind([], 's'), execute(), sync] },
  { name: 'a batch of fifty reads, a write, fifty reads, with Flush after each tenth', messages: [...Array.from({ length: 101 }, (_, n) => [...(n === 50 ? extended('create temp table x (n int)') : item(1 + n % 100)), ...(n % 10 === 9 ? [flush] : [])]).flat(), sync] },
];

const batches: readonly Script[] = [
  { name: 'batches of reads and of writes in turn', messages: [...alone('create temp table t (n int)'), ...some.flatMap((n) => [...item(n), sync, ...alone('insert into t values ($1)', [String(n)])]), ...alone('select count(*), sum(n) from t')] },
  { name: 'batches of reads and of writes to a table that all see, in turn', messages: some.flatMap((n) => [...item(n), sync, ...alone('update items set name = name where id = $1', [String(n)])]) },
  { name: 'named statements on the reader, on the primary, and on the reader again', messages: [parse(read, 's'), sync, ...some.flatMap((n) => [bind([String(n)], 's'), execute(), sync, bind([String(n)], 's'), ...(n % 2 === 0 ? extended('update items set name = name where id = 1') : []), execute(), sync])] },
  { name: 'a statement prepared while the reader answers and run after a write in a transaction', messages: [query('begin'), parse(read, 's'), bind(['1'], 's'), execute(), sync, ...alone("insert into items values (2001, 'new')"), bind(['2001'], 's'), describe('P'), execute(), sync, describe('S', 's'), sync, query('rollback'), bind(['2001'], 's'), execute(), sync] },
  { name: 'statements prepared on the primary in a transaction and run on the reader after it', messages: [query('begin'), query('select volatile_one()'), query('update items set name = name where id = 1'), parse(read, 's'), sync, query('commit'), bind(['5'], 's'), execute(), sync] },
  { name: 'twenty names prepared on the reader and used on the primary', messages: [...Array.from({ length: 20 }, (_, n) => parse(`select ${n} + $1::int`, `n${n}`)), sync, query('begin'), query('update items set name = name where id = 1'), ...Array.from({ length: 20 }, (_, n) => [bind(['1'], `n${n}`), execute()]).flat(), sync, query('commit')] },
  { name: 'BEGIN, a read and a write in one batch', messages: [...extended('begin'), ...item(1), ...extended("insert into items values (2002, 'new')"), ...item(2002), sync, ...item(2002), sync, ...alone('rollback'), ...item(2002), sync] },
  { name: 'a whole transaction in one batch', messages: [...extended('begin'), ...item(1), ...extended('update items set name = name where id = 1'), ...extended('commit'), ...item(2), sync, ...item(3), sync] },
  { name: 'two transactions in one batch', messages: [...extended('begin'), ...item(1), ...extended('commit'), ...extended('begin'), ...item(2), ...extended('rollback'), sync, ...item(3), sync] },
  { name: 'BEGIN and a read in one batch, COMMIT and a read in the next', messages: [...extended('begin'), ...item(1), sync, ...extended('commit'), ...item(2), sync, ...extended('begin'), sync, ...item(3), ...extended('commit'), sync] },
  { name: 'a failed transaction and ROLLBACK in the same pipeline', messages: [...alone('begin'), ...item(1), sync, ...alone('select 1/0'), ...item(2), sync, ...alone('rollback'), ...item(3), sync] },
  { name: 'a failed write in a transaction and ROLLBACK in the same pipeline', messages: [...alone('begin'), ...item(1), sync, ...alone("insert into items values (1, 'x')"), ...item(2), sync, ...alone('rollback'), ...item(3), sync] },
  { name: 'a failed batch with BEGIN in it', messages: [...extended('begin'), ...item(1), ...extended('select 1/0'), ...extended('commit'), sync, ...item(2), sync, ...alone('rollback'), ...item(3), sync] },
  { name: 'SET and reads in one pipeline', messages: [...alone("set datestyle = 'German'"), ...alone("select date '2026-11-23'"), ...extended("set datestyle = 'SQL, DMY'"), ...extended("select date '2026-11-23'"), sync, query("select date '2026-11-23'"), query('reset datestyle'), ...alone("select date '2026-11-23'")] },
  { name: 'a large batch of reads', messages: [...Array.from({ length: 1000 }, (_, n) => item(1 + n % 100)).flat(), sync] },
  { name: 'a large batch with a write at its end', messages: [...Array.from({ length: 600 }, (_, n) => item(1 + n % 100)).flat(), ...extended('create temp table z (n int)'), ...extended('select count(*) from z'), sync] },
  { name: 'two hundred batches in one write', messages: Array.from({ length: 200 }, (_, n) => [...(n % 20 === 7 ? extended('update items set name = name where id = 1') : item(1 + n % 100)), sync]).flat() },
];

export const nodes: readonly Script[] = [...simple, ...flushed, ...batches];
