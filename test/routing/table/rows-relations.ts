/** What the relations and functions of a read are, and which of several of one name is meant. */
import { differences } from './difference.js';
import { after, extended, half, primary, reader, rows, type Row, type RowGroup } from './row.js';

const catalog: readonly Row[] = [
  ...rows('primary', [
    'select * from pg_class limit 1', 'select relname from pg_catalog.pg_class', 'select * from pg_tables', 'select count(*) from pg_stat_activity', 'table pg_namespace',
    'select * from items, pg_class limit 1', 'select (select count(*) from pg_class)', 'with a as (select * from pg_type) select * from a', 'select * from pg_settings limit 1',
    'select * from PG_CLASS limit 1', 'select * from "pg_class" limit 1', 'select 1 where exists (select from pg_index)', 'select * from pg_prepared_statements',
    'select 1 union select count(*) from pg_locks', 'select * from pg_replication_slots', 'select name from items where id in (select oid::int from pg_class)',
  ]),
  ...rows('primary', [
    'select count(*) from information_schema.tables', 'select * from information_schema.columns limit 1',
    'with a as (select * from information_schema.schemata) select * from a',
  ], { pgpool: 'reader', because: differences.serversOwn }),
  reader("select 'items'::regclass"), reader("select to_regclass('items')"), reader("select pg_get_viewdef('item_names'::regclass)"),
  reader('select * from columns'), reader('select pg_size_pretty(1024::bigint)'), reader("select obj_description('items'::regclass)"),
];

const unloggedAndViews: readonly Row[] = [
  ...rows('primary', [
    'select * from unlogged_items', 'select * from public.unlogged_items', 'select * from items join unlogged_items using (id)', 'select (select max(id) from unlogged_items)',
    'select * from shop.carts', 'with a as (select * from unlogged_items) select * from a', 'table unlogged_items',
  ]),
  ...rows('reader', ['select * from item_names', 'select count(*) from public.item_names', 'select * from item_count', 'table item_names', 'select * from guarded_plainly']),
  ...rows('primary', ['select * from of_unlogged', 'select * from of_view', 'select * from of_volatile', 'select * from of_catalog', 'select * from guarded'], {
    pgpool: 'reader', because: differences.views,
  }),
  primary('select last_value from ticket', { pgpool: 'reader', because: differences.serversOwn }),
  primary('select * from no_such_table', { pgpool: 'reader', because: differences.unknownTable }),
  primary('select * from no_such_schema.items', { pgpool: 'reader', because: differences.unknownTable }),
];

const temporary: readonly Row[] = after(['create temp table mine (id int)'], [
  primary('select * from mine'), primary('select * from items, mine'), primary('insert into mine values (1)'), primary('table mine'),
  primary('select * from pg_temp.mine'), primary('copy mine to stdout', { pgpool: 'reader', because: differences.copied }), primary('drop table mine'),
  ...rows('primary', ['select * from items', 'select 1'], { pgpool: 'reader', because: differences.unfollowed }),
]).concat([
  primary('select * from mine', { before: ['create table pg_temp.mine (id int)'] }),
  primary('select * from items', { before: ['select * from items', 'create temp table items (id int)'], pgpool: 'reader', because: differences.unfollowed }),
  primary('select * from mine', { before: ['create temp view mine as select 1'] }),
  primary('select * from mine', { before: ['select 1 as id into temp mine'] }),
  primary('select * from mine', { before: ['create local temporary table mine as select 1'] }),
  primary('select * from mine_later', { before: ['create temp table mine (id int)', 'alter table mine rename to mine_later'] }),
  reader('select * from items', { before: ['create temp table mine (id int)', 'discard all'] }),
]);

const names: readonly Row[] = [
  ...rows('reader', [
    'select * from "Mixed Case"', 'select "Id" from public."Mixed Case"', 'select * from "select"', 'select * from shop.orders', 'select * from ITEMS', 'select * from Public.Items',
    'select "Stable Case"()', 'select * from "items"', 'select * from items as pg_class', 'select pg_class.id from items pg_class',
  ]),
  ...rows('reader', ['with pg_class as (select 1) select * from pg_class', 'with unlogged_items as (select 1) select * from unlogged_items'], { pgpool: 'primary', because: differences.commonTable }),
  primary('select "Volatile Case"()'), primary('select * from shop."carts"'),
  primary('with unlogged_items as (select 1) select * from public.unlogged_items'),
  reader('select * from orders', { before: ['set search_path = shop'] }),
  primary('select * from carts', { before: ['set search_path = shop'] }),
  primary('select * from unlogged_items', { before: ['set search_path = shop, public'] }),
  reader('select * from items', { before: ['set search_path = shop, public'] }),
  reader('select * from items', { before: ['set search_path = "$user", public'] }),
];

const functions: readonly Row[] = [
  ...rows('reader', [
    'select stable_one()', 'select immutable_one()', 'select public.stable_one()', 'select * from stable_one()', 'select shop.price()', 'select upper(name), length(name) from items',
    'select pg_catalog.now()', 'select name from items where id = stable_one()', 'select max(immutable_one()) from items', "select to_char(now(), 'YYYY')", 'select inet_server_port()',
    'select version()', "select has_table_privilege('items', 'select')", 'select STABLE_ONE()',
  ]),
  ...rows('primary', [
    'select volatile_one()', 'select bump()', 'select public.bump()', 'select * from bump()', 'select shop.sell()', 'select (select bump())', 'select 1 where bump() > 0',
    'select stable_one(), volatile_one()', 'select stable_one() + volatile_one() from items', 'with a as (select bump()) select * from a', 'select name from items order by random()',
    "select nextval('ticket')", "select setval('ticket', 10)", "select currval('ticket')", 'select lastval()', 'select random()', 'select clock_timestamp()', 'select timeofday()',
    'select gen_random_uuid()', 'select pg_sleep(0)', 'select pg_advisory_lock(1), pg_advisory_unlock(1)', 'select pg_advisory_xact_lock(2)', 'select pg_try_advisory_lock(3)',
    "select set_config('work_mem', '5MB', false)", "select set_config('work_mem', '5MB', true)", 'select lo_create(0)', 'select pg_current_wal_lsn()', 'select VOLATILE_ONE()',
    'select case when true then bump() end', 'select array_agg(bump()) from items', 'select * from items where id = any (array[volatile_one()])', 'select coalesce(bump(), 1)',
    'select * from generate_series(1, volatile_one())', 'select 1 limit volatile_one()', 'select pg_terminate_backend(0)', 'select pg_cancel_backend(0)', 'select pg_reload_conf()',
    "select pg_relation_size('items')", 'select pg_is_in_recovery()',
  ]),
  ...rows('primary', ['select txid_current()', 'select pg_current_xact_id()'], { pgpool: 'reader', because: differences.failsOnStandby }),
  primary('select no_such_function()', { pgpool: 'reader', because: differences.unknownFunction }),
  // One stable, one volatile: which of them is meant depends on more than the name.
  primary('select only_shop()'),
  primary('select shop.only_shop()'),
  reader('select public.only_shop()'),
];

const listed = (read: readonly string[], write: readonly string[]): Row[] => [...rows('reader', read), ...extended(rows('reader', read.slice(0, 2))), ...rows('primary', write), ...extended(rows('primary', write.slice(0, 2)))];

export const relationGroups: readonly RowGroup[] = [
  { topic: 'relations and functions', rows: [...catalog, ...unloggedAndViews, ...temporary, ...names, ...functions] },
  { topic: 'relations and functions by the extended protocol', rows: extended([...half(catalog), ...unloggedAndViews, ...temporary, ...half(names), ...half(functions)]) },
  {
    topic: 'read_only_function_list',
    settings: { read_only_function_list: 'volatile_one,shop.sell,get_.*,UPPER,count' },
    rows: listed(
      ['select volatile_one()', 'select upper(name) from items', 'select count(*) from items', 'select shop.sell()', 'select 1', 'select Volatile_One()'],
      ['select stable_one()', 'select immutable_one()', 'select bump()', 'select volatile_one(), bump()', 'select lower(name) from items', 'select sum(id) from items', 'select now()'],
    ),
  },
  {
    topic: 'write_function_list',
    settings: { write_function_list: 'stable_one,set_.*,nextval,shop.price,.*sell' },
    rows: listed(
      ['select immutable_one()', 'select count(*) from items', 'select now()', 'select only_shop()'],
      ['select stable_one()', "select nextval('ticket')", "select set_config('work_mem', '5MB', true)", 'select shop.price()', 'select shop.sell()', 'select STABLE_ONE()', 'select * from items where id = stable_one()'],
    ),
  },
  {
    topic: 'both lists: write_function_list is passed over',
    settings: { read_only_function_list: 'stable_one', write_function_list: 'stable_one' },
    rows: listed(['select stable_one()'], ['select immutable_one()', 'select bump()']),
  },
  {
    topic: 'check_temp_table = none and check_unlogged_table = off',
    settings: { check_temp_table: 'none', check_unlogged_table: false },
    rows: [...rows('reader', ['select * from unlogged_items', 'select * from items', 'select * from shop.carts']), primary('select * from pg_class')],
  },
  {
    topic: 'check_temp_table = trace',
    settings: { check_temp_table: 'trace' },
    rows: [
      ...after(['create temp table mine (id int)'], [primary('select * from mine'), primary('insert into mine values (1)')]),
      primary('select * from mine_later', { before: ['create temp table mine (id int)', 'alter table mine rename to mine_later'], pgpool: 'reader', because: differences.unfollowed }),
      reader('select * from items'), primary('select * from unlogged_items'),
    ],
  },
];
