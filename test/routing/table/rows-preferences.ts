/** Parameters that prefer a node: dml_adaptive, patterns for the primary, redirect lists, a choice for each statement. */
import { differences } from './difference.js';
import { after, both, extended, primary, reader, rows, type Row, type RowGroup } from './row.js';

const adaptive: readonly Row[] = [
  ...after(['begin', 'insert into scratch values (1)'], [
    ...rows('primary', ['select * from scratch', 'select * from items, scratch', 'select * from public.scratch', 'select (select count(*) from scratch)', 'with a as (select * from scratch) select * from a']),
    ...rows('reader', ['select * from items', 'select 1', 'select * from shop.orders']),
    ...extended([...rows('primary', ['select * from scratch']), ...rows('reader', ['select * from items'])]),
  ]),
  ...after(['begin', "update scratch set name = 'a'"], [primary('select * from scratch'), reader('select * from items')]),
  ...after(['begin', 'delete from scratch'], [primary('select * from scratch'), reader('select * from items')]),
  ...after(['begin', { extended: 'insert into scratch values (1)' }], [primary('select * from scratch'), reader('select * from items')]),
  ...after(['begin', "insert into items values (1000, 'a')"], [
    primary('select * from items'), primary('select count(*) from columns'), reader('select stable_one()'), reader('select * from scratch'),
  ]),
  ...after(['begin', 'select immutable_one()'], [primary('select * from columns'), reader('select * from items')]),
  ...after(['begin', 'select * from items for update'], [primary('select * from items')]),
  ...after(['begin', 'insert into "Mixed Case" values (1)'], [primary('select * from "Mixed Case"'), reader('select * from items')]),
  ...after(['begin', 'insert into shop.orders values (1000)'], [primary('select * from shop.orders'), reader('select * from items')]),
  ...after(['begin', 'with a as (insert into scratch values (1) returning *) select * from a'], [primary('select * from scratch'), reader('select * from items')]),
  // Pgpool-II reads on the standby, which waits for the lock of the same transaction.
  ...rows('primary', ['select * from emptied', 'copy emptied to stdout'], { before: ['begin', 'truncate emptied'], pgpool: 'never answers', because: differences.ownWrites }),
  ...['merge into scratch s using items i on s.id = i.id when not matched then do nothing', 'copy scratch from stdin']
    .flatMap((write) => rows('primary', ['select * from scratch', 'copy scratch to stdout'], { before: ['begin', write], pgpool: 'reader', because: differences.ownWrites })),
  primary('copy scratch to stdout', { before: ['begin', 'insert into scratch values (1)'], pgpool: 'reader', because: differences.ownWrites }),
  primary('select * from scratch', { before: ['begin', 'savepoint a', 'insert into scratch values (1)', 'rollback to a'], pgpool: 'reader', because: differences.ownWrites }),
  primary('select * from scratch', { before: ['begin; insert into scratch values (1)'], pgpool: 'reader', because: differences.openedInString }),
  primary('select * from made', { before: ['begin', 'create table made (id int)'], pgpool: 'reader', because: differences.ownWrites }),
  ...after(['begin', 'insert into scratch values (1)', 'commit'], [reader('select * from scratch'), reader('select * from items')]),
  ...after(['begin', 'insert into scratch values (1)', 'rollback'], [reader('select * from scratch')]),
  ...after(['begin', 'insert into scratch values (1)', 'commit', 'begin'], [reader('select * from scratch')]),
  ...after(['insert into scratch values (1)'], [reader('select * from scratch'), reader('select * from items')]),
  ...after(['begin'], [reader('select * from scratch'), primary('insert into scratch values (1)')]),
];

const patterns: readonly Row[] = [
  ...rows('primary', ['select * from items where id = 7', 'SELECT * FROM ITEMS', 'select 42', 'Select 42', 'select count(*) from items', 'select * from columns']),
  ...rows('reader', ['select 421', 'select  42', 'select 1', 'select * from scratch', 'select 42 as n', 'table scratch', 'show search_path', 'copy scratch to stdout']),
  ...rows('primary', ['show work_mem', 'copy items to stdout', 'SHOW work_mem']),
  ...extended([...rows('primary', ['select * from items where id = 7', 'select 42']), ...rows('reader', ['select 421', 'select 1'])]),
];

const spreadsStatements: readonly Row[] = [
  ...rows('reader', ['select 1', 'select * from items', 'show work_mem', 'copy items to stdout']),
  ...rows('primary', ['insert into scratch values (1)', 'select bump()', 'select * from pg_class', 'values (1)', 'explain select 1']),
  both('begin', 'now() < statement_timestamp()', { pgpool: 'all', because: differences.lazily }),
  both('commit', 'now() < statement_timestamp()', { before: ['begin'], pgpool: 'all', because: differences.lazily }),
  both("set work_mem = '5MB'", "current_setting('work_mem')", { pgpool: 'all', because: differences.lazily }),
  both('reset all', "current_setting('work_mem')", { before: ["set work_mem = '5MB'"], pgpool: 'all', because: differences.lazily }),
  both('discard all', "current_setting('work_mem')", { before: ["set work_mem = '5MB'"], pgpool: 'all', because: differences.lazily }),
  both('deallocate all', '1', { pgpool: 'all', because: differences.lazily }),
  ...after(['begin'], [reader('select 1'), primary('insert into scratch values (1)')]),
  primary('select 1', { before: ['begin', 'insert into scratch values (1)'] }),
  ...extended([reader('select 1'), primary('insert into scratch values (1)')]),
];

const everyRead = ['select 1', 'select * from items'];

export const preferenceGroups: readonly RowGroup[] = [
  {
    topic: 'disable_load_balance_on_write = dml_adaptive',
    settings: { disable_load_balance_on_write: 'dml_adaptive', dml_adaptive_object_relationship_list: 'items:columns,immutable_one():columns' },
    rows: adaptive,
  },
  { topic: 'primary_routing_query_pattern_list', settings: { primary_routing_query_pattern_list: '.*from (items|columns).*;select 42;show work_mem;copy items.*' }, rows: patterns },
  { topic: 'statement_level_load_balance', settings: { statement_level_load_balance: true }, rows: spreadsStatements },
  {
    topic: 'redirect lists',
    settings: {
      database_redirect_preference_list: 'postgres:primary,template1:2',
      app_name_redirect_preference_list: 'writer.*:primary,second.*:2,any.*:standby(1.0),never.*:2(0.0)',
    },
    rows: [
      ...rows('primary', everyRead, { login: { application: 'writer' } }),
      ...rows('node 2', everyRead, { login: { application: 'second' } }),
      ...rows('reader', everyRead, { login: { application: 'any' } }),
      ...rows('reader', everyRead, { login: { application: 'other' } }),
      ...rows('primary', ['select 1'], { login: { database: 'postgres' } }),
      ...rows('node 2', ['select 1'], { login: { database: 'template1' } }),
      ...rows('node 2', ['select 1'], { login: { database: 'postgres', application: 'second' } }),
      ...rows('primary', ['insert into scratch values (1)', 'select bump()', 'select * from pg_class'], { login: { application: 'second' } }),
      ...extended(rows('node 2', ['select 1'], { login: { application: 'second' } })),
      ...rows('node 2', ['select 1'], { login: { application: 'second' }, before: ['begin'] }),
      ...rows('primary', ['select 1'], { login: { application: 'second' }, before: ['begin', 'insert into scratch values (1)'] }),
    ],
  },
];
