/** SET in all its forms, followed by reads that show it. */
import { extended, flush, query, sync } from '../messages.js';
import { alone, queries, type Script } from './script.js';

const shown = "select date '2026-11-23', interval '1 day 2 hours', 0.1::float8 + 0.2, '\\x41'::bytea";
const show = query(shown);
const german = "set datestyle = 'German'";

export const settings: readonly Script[] = [
  { name: 'SET and reads in both protocols', messages: [query(german), show, ...alone(shown), query('set extra_float_digits = -5'), ...alone(shown), query("set bytea_output = 'escape'"), show, query('reset all'), show] },
  { name: 'SET in the extended protocol', messages: [...alone(german), ...alone(shown), ...alone('set intervalstyle to iso_8601'), show, ...alone('reset datestyle'), show] },
  { name: 'SET LOCAL in and out of a transaction', messages: [query("set local datestyle = 'German'"), show, query('begin'), show, query("set local datestyle = 'German'"), show, ...alone(shown), query('commit'), show] },
  { name: 'SET in a transaction that commits', messages: [query('begin'), show, query(german), show, query('commit'), show] },
  { name: 'SET in a transaction that is rolled back', messages: [query('begin'), query(german), show, query('rollback'), show, ...alone(shown)] },
  { name: 'SET taken back by ROLLBACK TO', messages: [query('begin'), query('savepoint a'), query(german), show, query('rollback to a'), show, query('commit'), show] },
  { name: 'SET kept over ROLLBACK TO', messages: [query('begin'), query(german), query('savepoint a'), query("set datestyle = 'SQL'"), query('rollback to a'), show, query('commit'), show] },
  { name: 'SET in a batch that fails', messages: [...extended(german), ...extended('select 1/0'), sync, show, ...alone(shown)] },
  { name: 'SET in a batch that succeeds, with reads', messages: [...extended(shown), ...extended(german), ...extended(shown), sync, show] },
  { name: 'SET behind a flushed read', messages: [...extended(shown), flush, ...extended(german), flush, ...extended(shown), sync, show] },
  { name: 'SET in a string', messages: [query(`${german}; ${shown}`), show, query(`select 1; set datestyle = 'SQL'; select 1/0`), show] },
  { name: 'SET that fails', messages: [query("set datestyle = 'Martian'"), show, query('set nothere = 1'), query('set work_mem = -1'), query('set port = 1'), show] },
  { name: 'SET of a parameter of an extension', messages: queries("set my.own = 'x'", "select current_setting('my.own')", 'show my.own', 'reset my.own', "select current_setting('my.own', true)") },
  { name: 'set_config', messages: queries("select set_config('datestyle', 'German', false)", shown, 'begin', "select set_config('datestyle', 'SQL', true)", shown, 'commit', shown) },
  { name: 'set_config in the extended protocol', messages: [...alone('select set_config($1, $2, false)', ['datestyle', 'German']), ...alone(shown), ...extended("select set_config('intervalstyle', 'iso_8601', true)"), ...extended(shown), sync, show] },
  { name: 'SET ROLE and SET SESSION AUTHORIZATION', messages: queries('set role pg_read_all_data', 'select current_user, session_user', 'select count(*) from items', "insert into items values (1, 'x')", 'reset role', 'select current_user', "set session authorization 'pg_monitor'", 'select current_user, session_user', 'reset session authorization', 'select current_user, session_user') },
  { name: 'SET ROLE in a transaction', messages: queries('begin', 'set local role pg_monitor', 'select current_user', 'commit', 'select current_user', 'begin', 'set role pg_monitor', 'rollback', 'select current_user') },
  { name: 'SET ROLE that does not exist', messages: queries('set role nobody_here', 'select current_user', 'begin', 'set role nobody_here', 'select 1', 'rollback', 'select current_user') },
  { name: 'search_path', messages: queries('set search_path = pg_catalog', 'select count(*) from items', 'set search_path to public', 'select count(*) from items', 'set search_path = nothere', 'select count(*) from items', "select count(*) from public.items", 'show search_path', 'reset search_path', 'select count(*) from items') },
  { name: 'client_encoding', messages: [query("set client_encoding = 'LATIN1'"), query("select chr(252), convert_from('\\xc3bc', 'UTF8')"), query('set names'), query("select chr(252), chr(26085)"), query("set client_encoding = 'LATIN1'"), query('select chr(26085)'), query('reset client_encoding'), query('select chr(26085)')] },
  { name: 'standard_conforming_strings', messages: queries('set standard_conforming_strings = off', "select 'a\\\\b'", 'set standard_conforming_strings = on', "select 'a\\b'", 'reset all', "select 'a\\b'") },
  { name: 'the time zone in all its forms', messages: queries("set time zone 'Asia/Tokyo'", "select timestamptz '2026-11-23 00:00:00+00'", 'set time zone -3', "select timestamptz '2026-11-23 00:00:00+00'", "set time zone interval '02:30' hour to minute", "select timestamptz '2026-11-23 00:00:00+00'", 'set time zone local', "select timestamptz '2026-11-23 00:00:00+00'", "set timezone to default", 'show time zone') },
  { name: 'statement_timeout', messages: queries("set statement_timeout = '300ms'", 'select pg_sleep(5)', 'select 1', 'begin', 'select pg_sleep(5)', 'select 2', 'rollback', 'set statement_timeout = 0', 'select 3') },
  { name: 'SHOW', messages: queries('show datestyle', 'show server_version_num', 'show nothere', 'show transaction isolation level', 'show session authorization') },
  { name: 'SHOW of what tells a primary from a standby', messages: queries('show transaction_read_only', "select current_setting('transaction_read_only')", 'show in_hot_standby', 'select pg_is_in_recovery()') },
  { name: 'SET CONSTRAINTS', messages: queries('create temp table d (n int unique deferrable)', 'begin', 'set constraints all deferred', 'insert into d values (1), (1)', 'set constraints all immediate', 'rollback', 'select count(*) from d') },
  { name: 'default_transaction_read_only', messages: queries('set default_transaction_read_only = on', 'select 1', 'create temp table t (n int)', 'create table never (n int)', 'begin', 'select 2', "insert into items values (3001, 'x')", 'rollback', 'set default_transaction_read_only = off', 'select 3') },
];
