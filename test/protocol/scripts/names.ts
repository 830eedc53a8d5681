/** Prepared statements by name, of the protocol and of SQL. */
import { bind, close, describe, execute, extended, parse, query, sync } from '../messages.js';
import { alone, queries, type Script } from './script.js';

const use = (name: string, values: readonly string[] = []): Buffer[] => [bind(values, name), describe('P'), execute(), sync];

export const names: readonly Script[] = [
  { name: 'PREPARE and Bind of the same name', messages: [query('prepare p (int) as select $1 + 1'), ...use('p', ['4']), describe('S', 'p'), sync, query('execute p(5)'), close('S', 'p'), sync, query('execute p(6)')] },
  { name: 'PREPARE of a name that Parse has taken', messages: [parse('select 1', 'p'), sync, query('prepare p as select 2'), ...use('p'), query('execute p')] },
  { name: 'Parse of a name that PREPARE has taken', messages: [query('prepare p as select 2'), parse('select 1', 'p'), sync, ...use('p'), query('deallocate p'), parse('select 3', 'p'), sync, ...use('p')] },
  { name: 'EXECUTE with parameters of a statement prepared by Parse', messages: [parse('select name from items where id = $1', 'p'), sync, query('execute p(3)'), query("execute p('x')"), query('execute p'), ...use('p', ['4'])] },
  { name: 'EXECUTE, PREPARE and DEALLOCATE in the extended protocol', messages: [...alone('prepare p (int) as select $1 * 2'), ...alone('execute p(4)'), parse('execute p(5)', 'e'), describe('S', 'e'), sync, ...use('e'), ...alone('deallocate p'), ...use('e')] },
  { name: 'PREPARE, EXECUTE and DEALLOCATE in one batch', messages: [...extended('prepare p as select 6'), ...extended('execute p'), bind([], 'p'), execute(), ...extended('deallocate p'), sync, query('execute p')] },
  { name: 'PREPARE in a transaction that is rolled back', messages: queries('begin', 'prepare p as select 1', 'rollback', 'execute p', 'deallocate p') },
  { name: 'PREPARE of a write', messages: [query('create temp table t (n int)'), query('prepare w (int) as insert into t values ($1) returning n'), query('execute w(1)'), ...use('w', ['2']), query('select n from t order by n')] },
  { name: 'DEALLOCATE of what does not exist', messages: [query('deallocate nothere'), ...alone('deallocate nothere'), query('deallocate all'), query('select 1')] },
  { name: 'DEALLOCATE in the extended protocol', messages: [parse('select 1', 'p'), parse('select 2', 'q'), sync, ...alone('deallocate p'), ...use('p'), ...use('q'), ...alone('deallocate all'), ...use('q'), parse('select 3', 'q'), sync, ...use('q')] },
  { name: 'DEALLOCATE between Parse and Bind of one batch', messages: [parse('select 1', 'p'), ...extended('deallocate p'), bind([], 'p'), execute(), sync, parse('select 2', 'p'), sync, ...use('p')] },
  { name: 'DEALLOCATE and the same name in one batch', messages: [parse('select 1', 'p'), sync, ...extended('deallocate p'), parse('select 2', 'p'), bind([], 'p'), execute(), sync, ...use('p')] },
  { name: 'DEALLOCATE ALL in a pipeline of simple queries', messages: [parse('select 1', 'p'), parse('select 2', 'q'), sync, ...use('p'), ...queries('deallocate all', 'select 1'), ...use('p'), ...use('q')] },
  { name: 'DEALLOCATE in a transaction that is rolled back', messages: [parse('select 1', 'p'), sync, query('begin'), query('deallocate p'), query('rollback'), ...use('p')] },
  { name: 'DEALLOCATE that fails in a failed transaction', messages: [parse('select 1', 'p'), sync, query('begin'), query('select 1/0'), query('deallocate p'), query('rollback'), ...use('p')], todo: 'the DEALLOCATE is booked when it is sent' },
  { name: 'DEALLOCATE in a string of several statements', messages: [parse('select 1', 'p'), sync, query('select 1; deallocate p; select 2'), ...use('p'), parse('select 3', 'p'), sync, ...use('p')] },
  { name: 'DISCARD ALL in the extended protocol', messages: [parse('select 1', 'p'), sync, ...alone('discard all'), ...use('p'), parse('select 2', 'p'), sync, ...use('p'), ...alone('select 3')] },
  { name: 'DISCARD ALL in a transaction and in a string', messages: [parse('select 1', 'p'), sync, query('begin'), query('discard all'), query('rollback'), ...use('p'), query('select 1; discard all'), ...use('p')] },
  { name: 'DISCARD PLANS, TEMP and SEQUENCES', messages: [parse('select 1', 'p'), sync, ...queries('create temp table t (n int)', 'discard plans', 'select count(*) from t', 'discard temp', 'select count(*) from t', 'discard sequences', 'select lastval()'), ...use('p')] },
  { name: 'DISCARD ALL of everything a session can have', messages: [parse('select 1', 'p'), sync, ...queries('create temp table t (n int)', 'listen here', "set datestyle = 'German'", 'prepare q as select 2', 'declare h cursor with hold for select 1', 'select pg_advisory_lock(99)', 'discard all', "select date '2026-11-23'", 'select count(*) from t', 'execute q', 'fetch h', 'notify here', 'select pg_advisory_unlock(99)'), ...use('p')] },
  { name: 'RESET ALL leaves prepared statements alone', messages: [parse('select 1', 'p'), query('prepare q as select 2'), query('reset all'), ...use('p'), query('execute q'), ...alone('reset all'), ...use('p')] },
  { name: 'statements parsed in a transaction that fails', messages: [query('begin'), parse('select 1', 'p'), sync, query('select 1/0'), parse('select 2', 'q'), sync, query('rollback'), ...use('p'), ...use('q')] },
  { name: 'statements parsed in a batch that fails behind them', messages: [parse('select 1', 'p'), ...extended('select 1/0'), parse('select 2', 'q'), sync, ...use('p'), ...use('q')] },
  { name: 'names in other letters, with spaces, and long ones', messages: ['Name', 'name', 'a b', '"quoted"', 'größe', 'x'.repeat(200)].flatMap((name, n) => [parse(`select ${n}`, name), sync, ...use(name)]) },
  { name: 'names that differ behind the 63rd letter', messages: [parse('select 1', `${'n'.repeat(63)}a`), parse('select 2', `${'n'.repeat(63)}b`), sync, ...use(`${'n'.repeat(63)}a`), ...use('n'.repeat(63))], todo: 'the server cuts names to 63 bytes when they are stored, pgloom does not' },
  { name: 'a statement whose table changes', messages: [query('create temp table t as select 1 as n'), parse('select * from t', 'p'), sync, ...use('p'), query('alter table t add m int default 2'), ...use('p'), query('drop table t'), ...use('p'), query('create temp table t as select 3 as n'), ...use('p')] },
  { name: 'a statement whose search_path changes', messages: [query('create temp table items as select 7 as id'), parse('select count(*) from items', 'p'), sync, ...use('p'), query('set search_path = public, pg_temp'), ...use('p'), query('reset search_path'), ...use('p')] },
  { name: 'a statement prepared ten times over', messages: Array.from({ length: 10 }, (_, n) => [parse(`select ${n} + $1::int`, 'p'), ...use('p', ['1']), close('S', 'p'), sync]).flat() },
  { name: 'Parse, Sync, Bind of ten names in turn', messages: [...Array.from({ length: 10 }, (_, n) => [parse(`select ${n}`, `p${n}`), sync]).flat(), ...Array.from({ length: 10 }, (_, n) => use(`p${9 - n}`)).flat()] },
];
