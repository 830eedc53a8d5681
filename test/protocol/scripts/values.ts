/** Formats, types and sizes of parameters and results. */
import { int16, int32 } from '../../support/wire-fields.js';
import { bind, describe, execute, parse, query, sync } from '../messages.js';
import { alone, bindFormats, queries, type Script } from './script.js';

const many = (count: number): Buffer[] => [
  parse(`select count(*), sum(v) from unnest(array[${Array.from({ length: count }, (_, n) => `$${n + 1}`).join(',')}]::int[]) v`),
  bindFormats({ values: Array.from({ length: count }, (_, n) => String(n)) }), describe('P'), execute(), sync,
];
const kinds = "select 1::int2, 2::int4, 3::int8, 1.5::float8, 12.345::numeric, true, 'txt'::text, date '2026-11-23', timestamptz '2026-11-23 01:02:03+00', interval '1 day', '\\x0102'::bytea, "
  + "'{1,2,null}'::int[], '{\"a\":1}'::jsonb, '[1,5)'::int4range, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '10.0.0.1/8'::inet, null::int";

export const values: readonly Script[] = [
  { name: 'results in binary', messages: [parse(kinds), bindFormats({ values: [], results: [1] }), describe('P'), execute(), sync] },
  { name: 'results in text', messages: [parse(kinds), bindFormats({ values: [], results: [0] }), describe('P'), execute(), sync] },
  { name: 'results in both formats', messages: [parse('select 1, 2, 3'), bindFormats({ values: [], results: [1, 0, 1] }), describe('P'), execute(), sync, parse('select 1, 2, 3'), bindFormats({ values: [], results: [1, 0] }), execute(), sync, ...alone('select 1')] },
  { name: 'parameters in binary', messages: [parse('select $1::int + 1, $2::text, $3::int8, $4::bool'), bindFormats({ values: [int32(41), 'text', Buffer.from('0000000000000007', 'hex'), Buffer.from([1])], formats: [1] }), execute(), sync] },
  { name: 'parameters in both formats', messages: [parse('select $1::int, $2::int, $3::bytea'), bindFormats({ values: [int32(-5), '6', Buffer.from([0, 255, 0])], formats: [1, 0, 1], results: [0, 1, 1] }), describe('P'), execute(), sync] },
  { name: 'parameters in binary of the wrong size', messages: [parse('select $1::int', 's'), sync, bindFormats({ values: [int16(1)], formats: [1], statement: 's' }), execute(), sync, bindFormats({ values: [Buffer.alloc(0)], formats: [1], statement: 's' }), execute(), sync, bindFormats({ values: [int32(9)], formats: [1], statement: 's' }), execute(), sync] },
  { name: 'format codes that are too many or unknown', messages: [parse('select $1::int', 's'), sync, bindFormats({ values: ['1'], formats: [0, 0], statement: 's' }), execute(), sync, bindFormats({ values: ['1'], formats: [7], statement: 's' }), execute(), sync, bindFormats({ values: ['1'], results: [9], statement: 's' }), execute(), sync, bind(['1'], 's'), execute(), sync] },
  { name: 'a named statement with other formats each time', messages: [parse('select id, name from items where id = $1', 's'), sync, ...[[0, 0], [1, 1], [0, 1], [1, 0]].flatMap(([format, result]) => [bindFormats({ values: [format === 1 ? int32(3) : '3'], formats: [format as number], results: [result as number], statement: 's' }), describe('P'), execute(), sync])] },
  { name: 'a binary portal in portions', messages: [query('begin'), parse('select id, name from items order by id'), bindFormats({ values: [], results: [1, 0], portal: 'p' }), describe('P', 'p'), execute('p', 2), sync, execute('p', 2), sync, query('rollback')] },
  { name: 'NULLs and empty strings', messages: [...alone("select $1::text is null, $2::text, $3::text", [null, '', 'x']), ...alone('select $1::int, $2::int[]', [null, '{}']), query("select null, '', ' '")] },
  { name: 'rows without columns', messages: [query('select'), query('select from items where id < 4'), ...alone('select from items where id < 4'), query('create temp table none ()'), query('insert into none default values'), query('table none')] },
  { name: 'rows of 500 columns', messages: [query(`select ${Array.from({ length: 500 }, (_, n) => `${n} as c${n}`).join(', ')}`), ...alone(`select ${Array.from({ length: 500 }, (_, n) => String(n)).join(', ')}`)] },
  { name: 'columns too many', messages: [query(`select ${Array.from({ length: 1700 }, () => '1').join(', ')}`), query('select 1')] },
  { name: 'ten, a thousand and twenty thousand parameters', messages: [...many(10), ...many(1000), ...many(20_000)] },
  { name: 'the most parameters there may be', messages: many(65_535) },
  { name: 'a Parse of 100 kB, bound again and again', messages: [parse(`select $1::int, length('${'z'.repeat(100_000)}')`, 's'), sync, ...['1', '2'].flatMap((value) => [bind([value], 's'), describe('P'), execute(), sync]), ...alone('select 3')] },
  { name: 'a Parse just below and just above 64 kB', messages: [65_000, 65_500, 65_536, 66_000].flatMap((size) => alone(`select length('${'z'.repeat(size)}')`)) },
  { name: 'a Bind of 500 kB to a named statement', messages: [parse('select length($1::text)', 's'), sync, bind(['w'.repeat(500_000)], 's'), execute(), sync, bind(['w'], 's'), execute(), sync] },
  { name: 'a batch of many large Binds', messages: [parse('select length($1::text)', 's'), ...Array.from({ length: 20 }, (_, n) => [bind(['w'.repeat(20_000 + n)], 's'), execute()]).flat(), sync, ...alone('select 1')] },
  { name: 'large rows, many of them', messages: [query("select repeat('r', 30000) from items where id <= 40"), ...alone("select repeat('r', 30000) from items where id <= 40")] },
  { name: 'composite and other odd types', messages: [query("select row(1, 'a'), array[row(1,2)], 'items'::regclass, 'nan'::float8, '-infinity'::timestamp"), ...alone("select (i).* from (select i from items i where id = 1) x"), ...alone('select pg_sleep(0)')] },
  { name: 'values that do not fit their type', messages: [...alone('select $1::int', ['99999999999']), ...alone('select $1::date', ['no date']), ...alone('select $1::jsonb', ['{']), ...alone('select $1::int2 * 2::int2', ['32767']), ...queries("select 'x'::int", "select 'a0'::uuid", 'select 1')] },
  { name: 'bytes that are no UTF-8', messages: [query('select 1'), parse('select $1::text', 's'), sync, bindFormats({ values: [Buffer.from([0xff, 0xfe])], statement: 's' }), execute(), sync, bindFormats({ values: [Buffer.from([0x61, 0, 0x62])], statement: 's' }), execute(), sync, query('select 2')] },
];
