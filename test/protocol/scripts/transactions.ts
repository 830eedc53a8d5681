/** Transactions: explicit, implicit, failed, and of every kind. */
import { bind, execute, extended, parse, query, sync } from '../messages.js';
import { alone, queries, type Script } from './script.js';

const write = "insert into items values (4001, 'written')";
const look = 'select name from items where id = 4001';

export const transactions: readonly Script[] = [
  { name: 'a read-only transaction', messages: queries('begin read only', 'select 1', look, write, 'select 2', 'rollback', 'select 3', 'start transaction read only', 'select 4', 'commit') },
  { name: 'a transaction made read-only, and writable again', messages: queries('begin', 'set transaction read only', look, 'set transaction read write', 'rollback', 'begin', 'select 1', 'set transaction read write', 'set transaction read only', write, 'rollback') },
  { name: 'repeatable read and serializable transactions', messages: ['repeatable read', 'serializable', 'read uncommitted', 'serializable, read only, deferrable'].flatMap((level) => queries(`begin isolation level ${level}`, 'show transaction_isolation', look, write, look, 'rollback')) },
  { name: 'SET TRANSACTION ISOLATION LEVEL too late', messages: queries('begin', 'select 1', 'set transaction isolation level serializable', 'select 2', 'rollback', 'select 3'), todo: 'the primary has not run a query in the transaction' },
  { name: 'SET TRANSACTION without a transaction', messages: queries('set transaction read only', look, 'set transaction isolation level serializable', look) },
  { name: 'SET SESSION CHARACTERISTICS', messages: queries('set session characteristics as transaction read only', write, look, 'begin', 'show transaction_read_only', 'commit', 'set session characteristics as transaction read write, isolation level serializable', 'show transaction_isolation', 'begin', look, write, 'rollback', look) },
  { name: 'savepoints within savepoints', messages: queries('begin', 'savepoint a', write, 'savepoint b', 'delete from items where id = 4001', look, 'rollback to b', look, 'release b', 'rollback to a', look, 'release a', 'commit', look) },
  { name: 'a savepoint after reads only', messages: queries('begin', look, 'savepoint a', look, 'select 1/0', look, 'rollback to a', look, 'release a', look, 'commit') },
  { name: 'savepoint commands that fail', messages: queries('savepoint a', 'rollback to a', 'release a', 'begin', 'rollback to nothere', 'select 1', 'rollback', 'begin', 'release nothere', 'rollback') },
  { name: 'savepoints in the extended protocol', messages: ['begin', look, 'savepoint a', write, look, 'select 1/0', look, 'rollback to a', look, 'release a', 'rollback', look].flatMap((text) => alone(text)) },
  { name: 'savepoints in one batch', messages: [...['begin', 'savepoint a', write, look, 'rollback to savepoint a', look, 'commit'].flatMap((text) => extended(text)), sync, ...alone(look)] },
  { name: 'COMMIT AND CHAIN, ROLLBACK AND CHAIN', messages: queries('begin read only', look, 'commit and chain', 'show transaction_read_only', write, 'rollback and chain', look, 'commit', look, 'begin isolation level repeatable read', 'commit and chain', 'show transaction_isolation', 'rollback') },
  { name: 'every spelling of the transaction commands', messages: queries('start transaction', 'end', 'begin work', 'abort work', 'begin transaction', 'commit transaction', 'begin', 'end and no chain', 'begin; commit', 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE', 'ROLLBACK') },
  { name: 'COMMIT of a failed transaction', messages: [...queries('begin', look, 'select 1/0', 'commit', look), ...alone('begin'), ...alone('select 1/0'), ...alone('commit'), ...alone(look)] },
  { name: 'a transaction that fails with its first statement', messages: queries('begin', 'select 1/0', look, 'rollback', 'begin', 'selekt', look, write, 'rollback', look) },
  { name: 'a transaction that fails on a read after a write', messages: queries('begin', write, look, 'select 1/0', look, 'rollback', look) },
  { name: 'a transaction that fails on a write after a read', messages: queries('begin', look, "insert into items values (1, 'x')", look, 'select 1', 'rollback', look) },
  { name: 'reads before and after a write in a transaction', messages: queries('begin', look, 'select 1', write, look, 'update items set name = $$changed$$ where id = 4001', look, 'rollback', look) },
  { name: 'an implicit transaction of a string that fails', messages: queries('create temp table t (n int)', 'insert into t values (1); insert into t values (2); select 1/0', 'select n from t', 'insert into t values (3); select n from t; insert into t values (4)', 'select n from t order by n') },
  { name: 'transaction commands within a string', messages: queries('create temp table t (n int)', 'insert into t values (1); commit; insert into t values (2); rollback', 'select n from t', 'begin; insert into t values (3); rollback; insert into t values (4)', 'select n from t order by n', 'begin; select 1/0; rollback', 'select 1', 'rollback') },
  { name: 'a transaction begun in a string and ended in another', messages: queries('select 1; begin; select 2', look, write, look, 'select 3; rollback; select 4', look) },
  { name: 'a transaction that fails in a string', messages: queries('begin; select 1; select 1/0; select 2', look, 'commit; select 3', look) },
  { name: 'savepoints within a string', messages: queries('savepoint a; select 1', 'begin; savepoint a; select 1/0', 'rollback to a; select 1', 'commit') },
  { name: 'an implicit transaction of a batch that fails', messages: [...alone('create temp table t (n int)'), ...extended('insert into t values (1)'), ...extended('select 1/0'), sync, ...alone('select n from t'), ...extended('insert into t values (2)'), ...extended('select n from t'), sync, ...alone('select n from t')] },
  { name: 'COMMIT and ROLLBACK within a batch without BEGIN', messages: [...alone('create temp table t (n int)'), ...extended('insert into t values (1)'), ...extended('commit'), ...extended('insert into t values (2)'), ...extended('rollback'), ...extended('insert into t values (3)'), sync, ...alone('select n from t order by n')] },
  { name: 'SAVEPOINT within a batch without BEGIN', messages: [...extended('select 1'), ...extended('savepoint a'), sync, ...alone('select 2')] },
  { name: 'what cannot be run in a transaction', messages: [...queries('begin', 'select 1', 'vacuum items', 'rollback', 'select 1; vacuum items'), ...extended('select 1'), ...extended('vacuum items'), sync, ...alone('select 2')] },
  { name: 'two-phase commit', messages: queries('begin', look, "prepare transaction 'phase'", 'select 1', "commit prepared 'phase'", "rollback prepared 'phase'", 'select 2', 'rollback') },
  { name: 'LOCK in and out of a transaction', messages: queries('lock table items in access share mode', 'begin', 'lock table items in access share mode', look, 'lock items in row exclusive mode', look, 'rollback', look) },
  { name: 'prepared transaction commands', messages: [parse('begin', 'b'), parse('commit', 'c'), parse('rollback', 'r'), parse(look, 'l'), sync, ...['b', 'l', 'c', 'l', 'b', 'l', 'r', 'l'].flatMap((name) => [bind([], name), execute(), sync])] },
  { name: 'prepared transaction commands in one batch', messages: [parse('begin', 'b'), parse('commit', 'c'), parse(look, 'l'), sync, ...['b', 'l', 'c', 'l'].flatMap((name) => [bind([], name), execute()]), sync, bind([], 'l'), execute(), sync] },
  { name: 'BEGIN in a simple query and the rest in the extended protocol', messages: [query('begin'), ...alone(look), ...alone(write), ...alone(look), query('savepoint a'), ...alone('select 1/0'), query('rollback to a'), ...alone(look), query('rollback'), ...alone(look)] },
  { name: 'ten transactions that read and write', messages: Array.from({ length: 10 }, (_, n) => queries('begin', look, ...(n % 2 === 0 ? [write, look] : ['select 1']), n % 3 === 0 ? 'abort' : 'rollback', look)).flat() },
  { name: 'DDL in a transaction that is rolled back', messages: queries('begin', 'select 1', 'create table fresh (n int)', 'insert into fresh values (1)', 'select n from fresh', 'rollback', 'select n from fresh') },
  { name: 'a transaction with a row locked and read', messages: queries('begin', look, 'select name from items where id = 5 for update', 'select name from items where id = 5', 'select name from items where id = 5 for key share', 'rollback') },
];
