/** Utility commands: SET, LOCK, PREPARE, cursors, DISCARD, two-phase commit, LISTEN, CALL, DO, DDL, maintenance. */
import { differences } from './difference.js';
import { after, both, extended, primary, reader, rows, type Row, type RowGroup } from './row.js';

const setting = (name: string): string => `current_setting('${name}')`;

const settings: readonly Row[] = [
  both("set work_mem = '5MB'", setting('work_mem')),
  both('SET work_mem TO 6000', setting('work_mem')),
  both("set session work_mem = '5MB'", setting('work_mem')),
  both('set search_path = shop', setting('search_path')),
  both('set search_path to shop, public', setting('search_path')),
  both("set schema 'shop'", setting('search_path')),
  both("set time zone 'Asia/Tokyo'", setting('timezone')),
  both('set timezone to utc', setting('timezone')),
  both('set time zone local', setting('timezone')),
  both("set datestyle = 'German'", setting('datestyle')),
  both("set client_encoding = 'utf8'", setting('client_encoding')),
  both("set names 'latin1'", setting('client_encoding')),
  both("set statement_timeout = '1min'", setting('statement_timeout')),
  both('set enable_seqscan = off', setting('enable_seqscan')),
  both("set application_name = 'another'", setting('application_name')),
  both("set my.own = 'a'", setting('my.own')),
  both('set extra_float_digits = default', setting('extra_float_digits')),
  both('set default_transaction_read_only = on', setting('default_transaction_read_only')),
  both('set default_transaction_read_only = off', setting('default_transaction_read_only')),
  both('set role row_reader', 'current_user'),
  both('set session authorization row_reader', 'session_user'),
  both('set xml option document', setting('xmloption')),
  both('set seed to 0.5', '1'),
  both('set bytea_output = escape', setting('bytea_output')),
  both('set session characteristics as transaction read only', setting('default_transaction_read_only')),
  both('set default_transaction_isolation to \'read committed\'', setting('default_transaction_isolation')),
  ...after(["set work_mem = '9MB'"], [
    both('reset work_mem', setting('work_mem')),
    both('reset all', setting('work_mem')),
    both('set work_mem to default', setting('work_mem')),
    both('discard plans', setting('work_mem')),
    both('discard all', setting('work_mem')),
    reader("select current_setting('work_mem')"),
    reader('show work_mem'),
  ]),
  both('reset role', 'current_user', { before: ['set role row_reader'] }),
  both('set role none', 'current_user', { before: ['set role row_reader'] }),
  both('reset session authorization', 'session_user', { before: ['set session authorization row_reader'] }),
  both('reset time zone', setting('timezone'), { before: ["set time zone 'Asia/Tokyo'"] }),
  ...rows('primary', [
    'set transaction_read_only to off',
    'set session characteristics as transaction read write',
    'set session characteristics as transaction isolation level serializable',
    "set default_transaction_isolation = 'serializable'",
    'set default_transaction_isolation to serializable',
  ]),
  // Settings of the transaction.
  ...after(['begin'], [
    ...rows('primary', [
      "set local work_mem = '5MB'", 'set transaction read only', 'set transaction isolation level read committed',
      "set work_mem = '7MB'", 'reset work_mem', 'set transaction isolation level repeatable read',
    ], { pgpool: 'both', because: differences.transactionSettings }),
    ...rows('primary', ['set transaction isolation level serializable', 'set transaction read write', 'set transaction_isolation = serializable', 'set constraints all deferred']),
  ]),
];

const locks: readonly Row[] = after(['begin'], [
  ...['access share', 'row share'].flatMap((mode) => rows('primary', [`lock table lockable in ${mode} mode`], { pgpool: 'both', because: differences.weakLocks })),
  ...['row exclusive', 'share update exclusive', 'share', 'share row exclusive', 'exclusive', 'access exclusive']
    .flatMap((mode) => rows('primary', [`lock table lockable in ${mode} mode`])),
  ...rows('primary', ['lock lockable', 'LOCK TABLE lockable, lockable_too', 'lock table only lockable in exclusive mode nowait']),
]);

const prepared: readonly Row[] = [
  ...rows('primary', [
    'prepare p as select 1', 'PREPARE p (int) AS SELECT $1', 'prepare p as select * from items where id = $1',
    'prepare p as insert into scratch values ($1)', 'prepare p as select * from items for update', 'prepare p as select bump()',
    'prepare p as select * from pg_class', 'prepare p as select * from unlogged_items', 'prepare p as update scratch set id = 1',
    'prepare p as delete from scratch', 'prepare p as with a as (delete from scratch returning *) select * from a',
  ]),
  ...after(['prepare p as select 1'], [reader('execute p', { pgpool: 'primary', because: differences.executeAsQuery }), primary('deallocate p'), primary('deallocate prepare p'), reader('select 1')]),
  reader('execute p (1)', { before: ['prepare p (int) as select $1'], pgpool: 'primary', because: differences.executeAsQuery }),
  primary('execute p', { before: ['prepare p as select * from scratch', 'begin', 'insert into scratch values (1)'] }),
  ...after(['prepare p as insert into scratch values (1)'], [primary('execute p'), primary('deallocate p'), reader('select 1')]),
  ...after(['prepare p as select bump()'], [primary('execute p'), primary('deallocate p')]),
  ...rows('primary', ['execute unknown_name', 'execute unknown_name (1, 2)']),
  primary('deallocate unknown_name', { pgpool: 'both', because: differences.unknownName }),
  ...after([{ parse: 'select 1', name: 'p' }], [reader({ execute: 'p', of: 'select 1' }), reader('execute p', { pgpool: 'never answers', because: differences.hangs }), reader('deallocate p')]),
  ...after([{ parse: 'insert into scratch values (1)', name: 'p' }], [
    primary({ execute: 'p', of: 'insert into scratch values (1)' }), primary('execute p'), primary('deallocate p'),
  ]),
  both('deallocate all', '1'),
  both('deallocate prepare all', '1', { before: ['prepare p as select 1'] }),
  primary('create table scratch as execute p', { before: ['prepare p as select 1'] }),
  primary('explain execute p', { before: ['prepare p as insert into scratch values (1)'] }),
];

const cursors: readonly Row[] = [
  ...after(['begin'], [
    ...rows('primary', [
      'declare c cursor for select 1', 'declare c scroll cursor for select * from items', 'declare c cursor with hold for select 1',
      'declare c binary cursor for select 1', 'declare c cursor for select * from items for update', 'DECLARE c INSENSITIVE CURSOR WITHOUT HOLD FOR SELECT 1',
    ]),
    ...after(['declare c cursor for select * from items'], rows('primary', [
      'fetch c', 'fetch 5 from c', 'fetch all in c', 'fetch backward 1 from c', 'move c', 'move forward all from c', 'close c', 'close all',
      'select 1', 'update items set name = name where current of c',
    ])),
  ]),
  primary('declare c cursor with hold for select 1'),
  ...after(['declare c cursor with hold for select * from items'], [primary('fetch c'), primary('move c'), primary('close c'), reader('select 1')]),
  ...rows('primary', ['fetch c', 'close c', 'close all']),
];

const twoPhase: readonly Row[] = [
  ...rows('primary', ["commit prepared 'row_a'", "rollback prepared 'row_a'", "prepare transaction 'row_b'"]),
  primary("prepare transaction 'row_c'", { before: ['begin', 'insert into scratch values (1)'] }),
  primary("prepare transaction 'row_d'", { before: ['begin', 'select 1'] }),
  primary("prepare transaction 'row_e'", { before: ['begin'] }),
  // The servers have max_prepared_transactions = 0.
  reader('select 1', { before: ['begin', "prepare transaction 'row_f'"], pgpool: 'none', because: differences.notFailed }),
];

const others: readonly Row[] = rows('primary', [
  'listen a', 'LISTEN "A b"', 'unlisten a', 'unlisten *', 'notify a', "notify a, 'with text'", "select pg_notify('a', 'b')",
  'call do_nothing()', 'call no_such_procedure()', 'do $$ begin end $$', "do language plpgsql 'begin perform 1; end'",
  'merge into lockable s using items i on s.id = i.id when matched then update set name = i.name',
  'MERGE INTO lockable USING items ON false WHEN NOT MATCHED THEN INSERT VALUES (1)',
  'merge into lockable s using items i on s.id = i.id when matched then delete',
  "load 'no_such_library'", 'checkpoint', 'vacuum lockable', 'vacuum (analyze) lockable', 'analyze lockable', 'ANALYZE', 'cluster lockable',
  'reindex table lockable', 'refresh materialized view item_count', "comment on table lockable is 'a'", 'security label on table lockable is null',
  'grant select on lockable to public', 'revoke all on lockable from row_writer', 'alter system reset work_mem', 'import foreign schema a from server b into c',
  "reassign owned by row_writer to row_reader", 'drop owned by row_writer',
]);

/** In a transaction that ends with the session. */
const definitions: readonly Row[] = after(['begin'], rows('primary', [
  'create table made (id int)', 'create temp table made (id int)', 'create unlogged table made (id int)', 'create table made as select 1', 'create table if not exists lockable ()',
  'create index on lockable (id)', 'create unique index made on lockable (id)', 'create view made as select 1', 'create temp view made as select 1',
  'create or replace view made as select 1', 'create materialized view made as select 1', 'create sequence made', 'create temp sequence made',
  "create function made() returns int language sql as 'select 1'", "create procedure made() language sql as 'select 1'",
  "create or replace function lockable_two() returns int language sql stable as 'select 1'",
  'create schema made', 'create type made as (a int)', "create type made as enum ('a')", 'create domain made as int check (value > 0)',
  'create extension no_such_extension', 'create role made', 'create user made', 'create policy made on lockable', 'create publication made',
  'create statistics made on id, name from lockable', 'create rule made as on insert to lockable do nothing', 'create cast (int as text) without function',
  'create trigger made before insert on lockable for each row execute function no_such_function()',
  'alter table lockable add column made int', 'alter table lockable rename to made', 'alter view lockable_names rename to made', 'alter function lockable_two() volatile',
  "alter role row_writer set work_mem = '5MB'", 'alter sequence lockable_numbers restart', 'alter schema lockable_schema rename to made', "alter default privileges grant select on tables to public",
  'drop table lockable', 'drop table if exists no_such_table', 'drop view lockable_names', 'drop function lockable_one()', 'drop schema if exists no_such_schema',
  'drop sequence lockable_numbers', 'drop role if exists no_such_role', 'drop index if exists no_such_index', 'create collation made from "C"',
])).concat(rows('primary', ['create database row_writer template no_such_template', 'create tablespace made location \'/no/such\'']));

export const commandGroups: readonly RowGroup[] = [
  { topic: 'SET and RESET', rows: [...settings, ...extended(settings.filter(({ statement }) => !String(statement).includes(';')))] },
  { topic: 'LOCK, PREPARE, cursors and two-phase commit', rows: [...locks, ...prepared, ...cursors, ...twoPhase] },
  { topic: 'other commands', rows: [...others, ...definitions, ...extended(others.slice(0, 20))] },
];
