/** Portals and cursors: row limits, resumption, and how long they live. */
import { bind, close, describe, execute, extended, flush, parse, query, sync } from '../messages.js';
import { alone, queries, type Script } from './script.js';

const ids = 'select id from items order by id';
const declare = 'declare c cursor for select id, name from items order by id';

export const portals: readonly Script[] = [
  { name: 'a portal resumed behind Flush and Sync in a transaction', messages: [query('begin'), parse(ids), bind([], '', 'p'), execute('p', 2), flush, execute('p', 2), sync, execute('p', 2), flush, execute('p', 3), sync, query('commit')] },
  { name: 'the unnamed portal resumed behind Sync in a transaction', messages: [query('begin'), parse(ids), bind(), execute('', 2), sync, execute('', 2), sync, describe('P'), sync, execute('', 1), sync, query('commit')] },
  { name: 'the unnamed portal resumed behind Sync, after another transaction command', messages: [query('begin'), parse(ids), bind(), execute('', 2), sync, ...alone('select 1'), execute('', 2), sync, query('rollback')] },
  { name: 'a portal resumed outside a transaction', messages: [parse(ids), bind([], '', 'p'), execute('p', 2), sync, execute('p', 2), sync, ...alone('select 1')] },
  { name: 'a portal resumed after a simple query', messages: [query('begin'), parse(ids), bind([], '', 'p'), execute('p', 2), sync, query('select 1'), execute('p', 2), sync, query('rollback')] },
  { name: 'a portal resumed after a write', messages: [query('begin'), parse(ids), bind([], '', 'p'), execute('p', 2), sync, query('create temp table w (n int)'), execute('p', 2), sync, ...alone('insert into w values (1)'), execute('p', 2), sync, query('commit')] },
  { name: 'portals of two statements resumed in turn', messages: [query('begin'), parse(ids, 's'), parse('select name from items order by id desc', 't'), bind([], 's', 'p'), bind([], 't', 'q'), sync, ...['p', 'q', 'p', 'q'].flatMap((portal) => [execute(portal, 2), sync]), close('P', 'p'), sync, execute('q', 1), execute('p', 1), sync, query('rollback')] },
  { name: 'a portal of one transaction and the same name in the next', messages: [query('begin'), parse(ids, 's'), bind([], 's', 'p'), execute('p', 1), sync, query('commit'), query('begin'), bind([], 's', 'p'), execute('p', 3), sync, query('commit')] },
  { name: 'a portal after ROLLBACK TO a savepoint before it', messages: [query('begin'), query('savepoint a'), parse(ids), bind([], '', 'p'), execute('p', 1), sync, query('rollback to a'), execute('p', 1), sync, query('rollback')] },
  { name: 'a portal after RELEASE of a savepoint before it', messages: [query('begin'), query('savepoint a'), parse(ids), bind([], '', 'p'), execute('p', 1), sync, query('release a'), execute('p', 1), sync, query('commit')] },
  { name: 'a portal after an error in its transaction', messages: [query('begin'), parse(ids), bind([], '', 'p'), execute('p', 1), sync, query('select 1/0'), execute('p', 1), sync, query('rollback')] },
  { name: 'row limits above, at and below the number of rows', messages: [3, 4, 5, 0].flatMap((limit) => [parse('select id from items where id <= 4 order by id'), bind(), execute('', limit), execute('', limit), sync]) },
  { name: 'a row limit below zero', messages: [parse('select id from items where id <= 4 order by id'), bind(), execute('', -1), sync] },
  { name: 'a row limit on what gives no rows', messages: [...extended('create temp table l (n int)').slice(0, 2), execute('', 1), sync, parse('insert into l select generate_series(1, 5)'), bind(), execute('', 2), sync, parse('update l set n = n'), bind(), execute('', 1), execute('', 1), sync] },
  { name: 'a row limit on RETURNING', messages: [query('create temp table l (n int)'), query('begin'), parse('insert into l select generate_series(1, 5) returning n'), bind([], '', 'p'), execute('p', 2), flush, execute('p', 2), sync, query('select count(*) from l'), execute('p', 2), sync, query('commit')] },
  { name: 'a row limit on SHOW and EXPLAIN', messages: [parse('show datestyle'), bind(), execute('', 1), execute('', 1), sync, parse('explain (costs off) select * from generate_series(1, 2) order by 1'), bind(), execute('', 1), execute('', 5), sync] },
  { name: 'an error behind the first portion', messages: [parse('select 1/(4 - id) from items order by id'), bind([], '', 'p'), execute('p', 2), flush, execute('p', 5), flush, execute('p', 1), sync, ...alone('select 1')] },
  { name: 'BEGIN, a portal and its first portion in one batch', messages: [...extended('begin'), parse(ids), bind([], '', 'p'), execute('p', 2), sync, execute('p', 2), sync, ...alone('commit'), execute('p', 2), sync] },
  { name: 'a cursor of SQL described, executed and closed by the protocol', messages: [query('begin'), query(declare), describe('P', 'c'), sync, execute('c', 2), sync, describe('P', 'c'), execute('c', 1), flush, execute('c', 2), sync, query('fetch 1 from c'), close('P', 'c'), sync, query('fetch 1 from c'), query('rollback')] },
  { name: 'a cursor of SQL declared and fetched in one batch', messages: [...extended('begin'), ...extended(declare), ...extended('fetch 2 from c'), execute('c', 3), ...extended('close c'), ...extended('commit'), sync, ...alone('select 1')] },
  { name: 'a portal of the protocol fetched by SQL', messages: [query('begin'), parse(ids), bind([], '', 'p'), execute('p', 2), sync, query('fetch 2 from p'), query('move 2 in p'), execute('p', 2), sync, query('close p'), execute('p', 1), sync, query('rollback')] },
  { name: 'a cursor and a portal of the same name', messages: [query('begin'), parse(ids), bind([], '', 'c'), sync, query(declare), query('rollback'), query('begin'), query(declare), parse(ids), bind([], '', 'c'), sync, query('rollback')] },
  { name: 'a cursor WITH HOLD', messages: [query('begin'), query('declare h cursor with hold for select id from items order by id'), query('fetch 1 from h'), query('commit'), query('fetch 2 from h'), execute('h', 2), sync, describe('P', 'h'), sync, ...alone('fetch 1 from h'), query('close h'), query('fetch 1 from h')] },
  { name: 'a cursor WITH HOLD outside a transaction, with reads between', messages: queries('declare h cursor with hold for select id from items order by id', 'select 1', 'fetch 1 from h', 'select 2', 'fetch 1 from h', 'close all', 'fetch 1 from h') },
  { name: 'a cursor that scrolls', messages: queries('begin', 'declare s scroll cursor for select id from items order by id', 'fetch last from s', 'fetch prior from s', 'fetch absolute 3 from s', 'fetch backward 2 from s', 'fetch relative 0 from s', 'fetch all from s', 'commit') },
  { name: 'a cursor without a transaction, and one that does not exist', messages: queries(declare, 'fetch 1 from c', 'select 1', 'close c') },
  { name: 'FETCH with a row limit', messages: [query('begin'), query(declare), parse('fetch 5 from c'), bind(), describe('P'), execute('', 2), execute('', 2), execute('', 2), sync, query('fetch 1 from c'), query('commit')] },
  { name: 'a cursor FOR UPDATE and WHERE CURRENT OF', messages: queries('create temp table k as select n from generate_series(1, 3) n', 'begin', 'declare k1 cursor for select n from k for update', 'fetch 2 from k1', 'update k set n = 20 where current of k1', 'commit', 'select n from k order by n') },
  { name: 'a cursor declared in a transaction that has read', messages: queries('begin', 'select id from items where id = 1', declare, 'fetch 1 from c', 'select id from items where id = 2', 'fetch 1 from c', 'commit') },
  { name: 'a portal on a cursor of a failed batch', messages: [query('begin'), query(declare), execute('c', 1), parse('selekt'), execute('c', 1), sync, execute('c', 1), sync, query('rollback'), execute('c', 1), sync] },
];
