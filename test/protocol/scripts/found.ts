/** What random pipelines have found, made short. */
import { bind, close, copyData, copyDone, describe, execute, extended, flush, parse, query, sync } from '../messages.js';
import { alone, queries, type Script } from './script.js';

const read = 'select id from items where id < 4 order by id';
const table = query('create temp table c (n int)');
/** COPY as libpq says it: a Sync behind the Execute, which the server ignores, and another behind the data. */
const libpqCopy = (...lines: readonly string[]): Buffer[] => [...extended('copy c from stdin'), sync, ...lines.map((line) => copyData(`${line}\n`)), copyDone, sync];

export const found: readonly Script[] = [
  { name: 'a transaction that fails on the reader, ROLLBACK and a write in one pipeline', messages: [...queries('begin', 'select 1/0', 'rollback', 'create temp table x (n int)', 'insert into x values (1)', 'select n from x'), ...alone('begin'), ...alone('select 1/0'), ...alone('rollback'), ...alone('insert into x values (2)'), query('select count(*) from x')] },
  { name: 'a transaction that fails on the reader and ends in a string', messages: [...queries('begin', 'select 1/0', 'end; select 1; select 1/0', 'create temp table x (n int)', 'select count(*) from x', 'begin', 'select 1/0', 'rollback; select 2'), table, query('copy c from stdin'), copyData('1\n'), copyDone] },
  { name: 'ROLLBACK AND CHAIN of a transaction that fails on the reader', messages: queries('begin', 'select 1/0', 'select 2', 'rollback and chain', 'select 3', 'create temp table x (n int)', 'select count(*) from x', 'commit', 'select count(*) from x') },
  { name: 'a transaction begun and failed in one batch, and reads behind it', messages: [...extended('begin'), ...extended('select 1/0'), sync, query('select 1'), ...alone('select 2'), query('rollback'), query('select 3')] },
  { name: 'a prepared ROLLBACK in a transaction that fails on the reader', messages: [parse('rollback', 'r'), sync, query('begin'), query('select 1/0'), bind([], 'r'), describe('P'), execute(), sync, query('select 1')] },
  { name: 'statements prepared on the primary in a transaction that fails on the reader', messages: [query('begin'), query('create temp table x (n int)'), parse(read, 's'), sync, query('commit'), query('begin'), query('select 1/0'), describe('S', 's'), sync, bind([], 's'), execute(), sync, query('rollback'), bind([], 's'), execute(), sync] },
  { name: 'a named portal of an earlier batch behind a Parse', messages: [query('begin'), parse(read, 's'), bind([], 's', 'p'), execute('p', 1), sync, parse('select 1'), execute('p', 1), sync, parse('select 2'), bind(), describe('P', 'p'), execute('p', 1), execute(), sync, parse('select 3'), flush, execute('p', 1), close('P', 'p'), sync, query('rollback')] },
  { name: 'Close and Parse of the same name behind a flushed write', messages: [parse('select 1', 's'), sync, parse('create temp table x (n int)'), flush, close('S', 's'), parse('select 2', 's'), bind([], 's'), execute(), sync, bind([], 's'), execute(), sync] },
  { name: 'Close and Bind of the same name behind a flushed write', messages: [parse('select 1', 's'), sync, parse('create temp table x (n int)'), flush, close('S', 's'), bind([], 's'), execute(), sync, ...alone('select 2')] },
  { name: 'a COPY that is refused, and one of libpq behind it', messages: [table, query('copy nothere from stdin'), copyData('1\n'), copyDone, ...alone('select 1'), ...libpqCopy('1', '2'), query('select count(*) from c'), ...alone('select 2'), query('create temp table x (n int)'), query('select 3')] },
  { name: 'COPYs of libpq that are refused, fail and succeed in turn', messages: [table, ...extended('copy nothere from stdin'), sync, copyData('1\n'), copyDone, sync, ...libpqCopy('1'), ...libpqCopy(), ...libpqCopy('2'), query('select count(*) from c'), ...libpqCopy('x'), query('select count(*) from c')] },
  { name: 'an Execute during COPY in, which ends the connection', messages: [table, ...extended('copy c from stdin'), execute(), sync, query('select 1')] },
  { name: 'a statement prepared on the reader behind a COPY of libpq that fails', messages: [table, parse('select 1', 's'), sync, ...libpqCopy('x'), bind([], 's'), execute(), sync, query('select count(*) from c')] },
  { name: 'DEALLOCATE ALL in a transaction begun and failed in one batch', messages: [...alone('select 1'), ...extended('begin'), ...extended('select 1/0'), sync, query('deallocate all'), query('rollback'), query('select 2')] },
  { name: 'a DEALLOCATE that is skipped because of an error before it', messages: [parse('select 1', 's'), sync, ...extended('select 1/0'), ...extended('deallocate all'), sync, bind([], 's'), execute(), sync], todo: 'it is booked when it is sent' },
  { name: 'a statement of the reader in a transaction that fails on the primary', messages: [parse('select $1::int', 's'), sync, ...extended('begin'), ...extended('select 1/0'), sync, bind([], 's'), sync, query('rollback'), bind(['1'], 's'), execute(), sync] },
  { name: 'the unnamed statement behind a Parse that is skipped because of an error before it', messages: [parse('select 1'), sync, describe('P', 'nowhere'), parse('select 2'), sync, bind(), execute(), sync], todo: 'a Parse that is skipped is taken for one that failed' },
  { name: 'the unnamed statement of the reader behind a Parse that is skipped on the primary', messages: [parse('create temp table x (n int)'), sync, parse('select 1'), bind(), sync, describe('P', 'nowhere'), parse('create temp table y (n int)'), sync, bind(), execute(), sync], todo: 'as above, and the primary has another unnamed statement' },
];
