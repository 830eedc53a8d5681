/** COPY in both directions and both protocols, alone and in pipelines. */
import { copyData, copyDone, copyFail, extended, flush, message, query, sync } from '../messages.js';
import { alone, queries, type Script } from './script.js';

const table = query('create temp table c (n int primary key, t text)');
const rows = (...lines: readonly string[]): Buffer[] => [...lines.map((line) => copyData(`${line}\n`)), copyDone];
const all = 'select n, t from c order by n';

export const copies: readonly Script[] = [
  { name: 'COPY in between other statements of a pipeline', messages: [table, query('select 1'), query('copy c from stdin'), ...rows('1\tone', '2\t\\N'), query('select name from items where id = 1'), query(all), query('copy c from stdin'), ...rows('3\tthree'), ...alone(all)] },
  { name: 'COPY in of no rows', messages: [table, query('copy c from stdin'), copyDone, query('copy c from stdin'), copyData(''), copyDone, query('copy c from stdin'), copyData('\\.\n'), copyDone, query(all)] },
  { name: 'COPY in with options', messages: [table, query("copy c (t, n) from stdin with (format csv, header, null 'none')"), ...rows('t,n', '"a ""b""",1', 'none,2'), query("copy c from stdin (delimiter '|') where n > 10"), ...rows('3|x', '30|y'), query(all)] },
  { name: 'COPY in in binary', messages: [query('create temp table b (n int)'), query('copy b from stdin (format binary)'), message('d', Buffer.from('5047434f50590aff0d0a0000000000000000000001000000040000002affff', 'hex')), copyDone, query('select n from b'), query('copy b to stdout (format binary)')] },
  { name: 'COPY in that breaks a constraint', messages: [table, query('copy c from stdin'), ...rows('1\ta', '1\tb', '2\tc'), query(all), query('copy c from stdin'), ...rows('1\ta'), query(all)] },
  { name: 'COPY in with too many columns, too few, and a bad value', messages: [table, ...['1\ta\tb', '2', 'x\ty'].flatMap((line) => [query('copy c from stdin'), ...rows(line)]), query(all)] },
  { name: 'COPY in in a transaction that is rolled back', messages: [table, query('begin'), query('select 1'), query('copy c from stdin'), ...rows('1\ta'), query(all), query('rollback'), query(all)] },
  { name: 'COPY in in a failed transaction', messages: [table, query('begin'), query('select 1/0'), query('copy c from stdin'), ...rows('1\ta'), query('rollback'), query(all)] },
  { name: 'COPY in given up in a transaction', messages: [table, query('begin'), query('copy c from stdin'), copyData('1\ta\n'), copyFail('enough'), query(all), query('rollback'), query(all)] },
  { name: 'COPY in in a table that does not exist', messages: [query('copy nothere from stdin'), ...rows('1'), query('select 1'), ...extended('copy nothere from stdin'), ...rows('1'), sync, query('select 2')] },
  { name: 'two COPY in in one string', messages: [table, query('copy c from stdin; select 1; copy c from stdin; select 2'), ...rows('1\ta'), ...rows('2\tb'), query(all)] },
  { name: 'COPY in and out in one string', messages: [table, query('copy c from stdin; copy (select n from c) to stdout; select 3'), ...rows('1\ta', '2\tb'), query(all)] },
  { name: 'COPY in in a string that fails behind it', messages: [table, query('copy c from stdin; select 1/0; select 2'), ...rows('1\ta'), query(all)] },
  { name: 'COPY in in a batch with others', messages: [table, ...extended('select 1'), ...extended('copy c from stdin'), ...rows('1\ta', '2\tb'), ...extended(all), ...extended('select 2'), sync, ...alone('select 3')] },
  { name: 'COPY in behind a flushed read', messages: [table, ...extended('select name from items where id = 1'), flush, ...extended('copy c from stdin'), flush, ...rows('1\ta'), flush, ...extended(all), sync] },
  { name: 'COPY in with wrong data in a batch with others', messages: [table, ...extended('select 1'), ...extended('copy c from stdin'), ...rows('x\ta'), ...extended('select 2'), sync, ...alone(all)] },
  { name: 'COPY in of 300 kB', messages: [table, query('copy c from stdin'), ...Array.from({ length: 30 }, (_, n) => copyData(`${n}\t${'v'.repeat(10_000)}\n`)), copyDone, query('select count(*), sum(length(t)) from c')] },
  { name: 'COPY in of thousands of small pieces', messages: [table, query('copy c from stdin'), ...Array.from({ length: 3000 }, (_, n) => copyData(`${n}\tv\n`)), copyDone, query('select count(*) from c')] },
  { name: 'COPY in of rows split in the middle', messages: [table, query('copy c from stdin'), ...[...'12\tsome text\n13\tmore\n'].map(copyData), copyDone, query(all)] },
  { name: 'COPY out with options', messages: [query("copy (select id, name from items where id < 4 order by id) to stdout (format csv, header)"), query("copy (select null, 'a,b', E'c\\nd') to stdout (format csv, force_quote *)"), query('copy (select 1 where false) to stdout'), query('copy (select 1) to stdout (format binary)')] },
  { name: 'COPY out in a batch with others', messages: [...extended('select 1'), ...extended('copy (select id from items where id < 4 order by id) to stdout'), ...extended('select 2'), sync, ...alone('select 3')] },
  { name: 'COPY out in a transaction, before and after a write', messages: [query('begin'), query('copy (select id from items where id in (99, 100, 5001) order by id) to stdout'), query("insert into items values (5001, 'x')"), query('copy (select id from items where id in (99, 100, 5001) order by id) to stdout'), query('rollback'), query('copy (select id from items where id in (99, 100, 5001) order by id) to stdout')] },
  { name: 'COPY out of what writes', messages: [...queries('begin', "copy (insert into items values (5002, 'x') returning id) to stdout", 'select name from items where id = 5002', 'rollback', 'copy (select volatile_one()) to stdout')] },
  { name: 'COPY out that fails in a batch', messages: [...extended('select 1'), ...extended('copy (select 1/(3 - id) from items order by id) to stdout'), ...extended('select 2'), sync, ...alone('select 3')] },
  { name: 'COPY out with CopyDone and CopyFail from the client', messages: [query('copy (select 1) to stdout'), copyDone, query('copy (select 2) to stdout'), copyFail('stop'), query('select 3')] },
  { name: 'COPY out of twenty results', messages: Array.from({ length: 20 }, (_, n) => query(`copy (select id, name from items where id % 20 = ${n} order by id) to stdout`)) },
  { name: 'COPY to and from files that may not be', messages: queries("copy items to '/nonexistent/file'", 'select 1', "copy items from '/nonexistent/file'", 'select 2') },
];
