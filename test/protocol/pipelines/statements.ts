/** What random pipelines say. Every statement has one right answer on the tables of stage.ts. */
export interface PoolStatement {
  readonly text: string;
  /** A choice of values for its parameters; none = it has no parameters. */
  readonly values: readonly (readonly (string | null)[])[];
  /** A plain read: its portal may be used in a later batch. */
  readonly reads: boolean;
}

const read = (text: string, ...values: readonly (readonly (string | null)[])[]): PoolStatement => ({ text, values, reads: true });
const other = (text: string, ...values: readonly (readonly (string | null)[])[]): PoolStatement => ({ text, values, reads: false });

/** Reads that may leave the primary. */
export const balanced: readonly PoolStatement[] = [
  read('select 1 as one'),
  read('select id, name, n from goods where id = $1', ['3'], ['31'], [null], ['x']),
  read('select id from goods order by id'),
  read('select id, n from goods where id > $1 order by id limit 7', ['0'], ['20'], ['28']),
  read('select count(*), sum(n) from goods'),
  read('select $1::text as t, $2::int + 1 as i', ['a', '1'], [null, null], ['b', 'x'], ['', '2147483647']),
  read('select what from log order by id'),
  read('select name from cheap order by id'),
  read('select 1/(5 - n) from generate_series(1, 9) n'),
  read('select 1/0'),
  read('select stable_one()'),
  read('select from goods where id < 4'),
  read('with g as (select id from goods where id < 3) select id from g order by id'),
  read("select date '2026-11-23', interval '1 day 2 hours'"),
  read('select current_user'),
  read("select current_setting('timezone'), current_setting('work_mem')"),
  other('show datestyle'), other('show search_path'), other('show timezone'),
  other(''),
  other('copy (select id, n from goods where id < 4 order by id) to stdout'),
];

/** Reads that may not, or may not exist. */
export const bound: readonly PoolStatement[] = [
  read('select volatile_one()'),
  read('select n from scratchpad order by n'),
  read('select n from t order by n'),
  read('select n from extra order by n'),
  read('select nothere from goods'),
  read('values (1), (2)'),
  read('/* c */ select 2'),
  read("select nextval('counter')"),
  read('select note($1)', ['noted'], [null]),
  read("select set_config('work_mem', '5MB', false)"),
  read("select set_config('work_mem', '6MB', true)"),
  read('select id, n from goods where id = $1 for update', ['1'], ['2']),
  other('with w as (update goods set n = n + 1 where id = 2 returning id, n) select id, n from w'),
  other('explain (costs off) select 1'),
  other('fetch 2 from c'), other('fetch 1 from h'), other('move 1 in c'),
  other('execute q'), other('execute s1'),
  other('selekt'),
];

export const writes: readonly PoolStatement[] = [
  other('insert into log (what) values ($1) returning id', ['a'], ['b']),
  other('insert into goods (id, name) values ($1, $2)', ['40', 'new'], ['1', 'again'], ['41', null]),
  other('update goods set n = n + 1 where id = $1', ['1'], ['3'], ['77']),
  other('update goods set n = n + 1 where id < 4'),
  other('delete from goods where id > $1', ['28'], ['39']),
  other('insert into goods (id, name) values (1, $$x$$) on conflict (id) do update set n = goods.n + 10 returning n'),
  other('create temp table t (n int)'), other('create temp table if not exists t (n int)'),
  other('insert into t values ($1)', ['1'], ['2'], ['x']), other('drop table t'),
  other('create table extra (n int)'), other('insert into extra values (7)'),
  other('call add_one()'),
  other("do $$ begin raise notice 'done'; end $$"),
  other('listen pipe'), other("notify pipe, 'x'"), other('unlisten *'),
  other('declare c cursor for select id from goods order by id'), other('close c'),
  other('declare h cursor with hold for select id from goods order by id'), other('close all'),
  other('lock table goods in share mode'),
  other('vacuum log'),
];

export const session: readonly PoolStatement[] = [
  other("set datestyle = 'German'"), other("set datestyle = 'Martian'"), other("set intervalstyle = 'iso_8601'"),
  other("set timezone = 'Asia/Tokyo'"), other("set work_mem = '7MB'"), other('reset work_mem'), other('reset all'),
  other("set local work_mem = '8MB'"), other("set local datestyle = 'SQL'"),
  other('set search_path = public, pg_catalog'), other('set search_path = pg_catalog'), other('reset search_path'),
  other('set role pipelines_reader'), other('reset role'), other("set session authorization 'pipelines_reader'"), other('reset session authorization'),
  other("set application_name = 'piped'"), other('set nothere = 1'),
  other('deallocate s1'), other('deallocate q'), other('deallocate all'), other('prepare q as select 4 as four'),
  other('discard all'), other('discard plans'), other('discard temp'),
];

export const transaction: readonly PoolStatement[] = [
  'begin', 'begin', 'begin', 'start transaction', 'begin read only', 'begin isolation level repeatable read', 'begin isolation level serializable',
  'commit', 'commit', 'commit', 'rollback', 'rollback', 'rollback', 'end', 'abort', 'commit and chain', 'rollback and chain',
  'savepoint a', 'savepoint a', 'rollback to a', 'rollback to a', 'release a', 'savepoint b', 'set transaction read only',
  "prepare transaction 'piped'",
].map((text) => other(text));

export const copies = ['copy goods (id, name) from stdin', 'copy t from stdin', 'copy log (what) from stdin', 'copy nothere from stdin'] as const;
export const copyLines = [['50\tcopied', '51\tcopied'], ['1\tagain'], ['5'], ['x\ty', '52\tz'], []] as const;
