/** Extended messages in every order: Describe, Close, Flush, and errors at every place. */
import { bind, close, describe, execute, extended, flush, parse, query, sync } from '../messages.js';
import { alone, type Script } from './script.js';

const read = 'select id, name from items where id = $1';

/** A batch of six reads of which one is replaced. */
function batchWith(place: number, fault: readonly Buffer[]): Buffer[] {
  return [...Array.from({ length: 6 }, (_, n) => (n === place ? fault : extended(read, [String(n + 1)]))).flat(), sync];
}

const everywhere = (fault: readonly Buffer[]): Buffer[] =>
  [0, 1, 2, 3, 4, 5].flatMap((place) => [...batchWith(place, fault), ...alone('select $1::int', [String(place)])]);

const describes: readonly Script[] = [
  { name: 'Describe of a statement before its Parse', messages: [describe('S', 'x'), parse('select 1', 'x'), sync, describe('S', 'x'), sync] },
  { name: 'Describe of statement and portal, again and again', messages: [parse(read, 's'), describe('S', 's'), bind(['1'], 's'), describe('P'), describe('S', 's'), describe('P'), execute(), describe('P'), sync] },
  { name: 'Describe of what returns nothing', messages: [parse('create temp table d (n int)'), describe('S'), bind(), describe('P'), execute(), sync, parse('insert into d values ($1)'), describe('S'), bind(['1']), describe('P'), execute(), sync] },
  { name: 'Describe of an empty statement', messages: [parse(''), describe('S'), bind(), describe('P'), execute(), sync, parse('-- x', 'e'), describe('S', 'e'), bind([], 'e', 'p'), describe('P', 'p'), execute('p'), sync] },
  { name: 'Describe of transaction commands', messages: [parse('begin'), describe('S'), bind(), describe('P'), execute(), sync, parse('commit', 'c'), describe('S', 'c'), sync, bind([], 'c'), describe('P'), execute(), sync] },
  { name: 'Describe of SHOW, EXPLAIN and VALUES', messages: ['show datestyle', 'explain (costs off) select 1', 'values (1, $$a$$), (2, null)', 'table item_names limit 0'].flatMap((text) => [parse(text), describe('S'), bind(), describe('P'), execute(), sync]) },
  { name: 'Describe of parameters whose types are given, or are not', messages: [parse('select $1', 'a', [25]), describe('S', 'a'), parse('select $1, $2', 'b', [23]), describe('S', 'b'), parse('select $1 + $2', 'c', [0, 20]), describe('S', 'c'), sync] },
  { name: 'Describe of a parameter whose type nobody knows', messages: [parse('select $1 = $2'), describe('S'), sync, parse('select $1'), describe('S'), bind(['x']), execute(), sync] },
  { name: 'Describe in a failed transaction', messages: [parse(read, 's'), parse('rollback', 'r'), sync, query('begin'), query('select 1/0'), describe('S', 's'), sync, describe('S', 'r'), sync, bind(['1'], 's'), sync, bind([], 'r'), describe('P'), execute(), sync, bind(['1'], 's'), execute(), sync] },
  { name: 'Describe of a portal in the batches of a transaction', messages: [query('begin'), parse(read), bind(['1'], '', 'p'), sync, describe('P', 'p'), sync, execute('p'), sync, describe('P', 'p'), sync, query('commit'), describe('P', 'p'), sync] },
  { name: 'Describe of the unnamed statement in a later batch', messages: [parse(read), sync, describe('S'), sync, bind(['4']), describe('S'), execute(), sync] },
  { name: 'Describe of RETURNING', messages: [query('create temp table r (n int)'), parse('insert into r values ($1) returning n, n * 2 as twice'), describe('S'), bind(['3']), describe('P'), execute(), sync] },
  { name: 'Describe of a kind that does not exist', messages: [parse('select 1'), sync, describe('X' as 'S', ''), sync, bind(), execute(), sync] },
];

const closes: readonly Script[] = [
  { name: 'Close of a statement whose portal lives on', messages: [parse(read, 's'), bind(['2'], 's', 'p'), close('S', 's'), execute('p'), bind(['3'], 's'), execute(), sync] },
  { name: 'Close of the unnamed statement and portal', messages: [parse(read), bind(['2']), close('S'), execute(), sync, parse(read), bind(['2']), close('P'), describe('S'), execute(), sync] },
  { name: 'Close before Parse, and twice', messages: [close('S', 'x'), close('S', 'x'), parse('select 1', 'x'), close('S', 'x'), close('S', 'x'), parse('select 2', 'x'), bind([], 'x'), execute(), sync] },
  { name: 'Close in an own batch between two lives of a name', messages: [parse('select 1', 'x'), sync, close('S', 'x'), sync, parse('select 2', 'x'), sync, bind([], 'x'), execute(), sync, close('S', 'x'), sync] },
  { name: 'Close of a portal between two executions', messages: [query('begin'), parse('select id from items order by id'), bind([], '', 'p'), execute('p', 2), sync, close('P', 'p'), sync, execute('p', 2), sync, query('rollback')] },
  { name: 'Close in a failed transaction', messages: [parse('select 1', 'x'), sync, query('begin'), query('select 1/0'), close('S', 'x'), close('P', 'y'), sync, query('rollback'), bind([], 'x'), execute(), sync] },
  { name: 'Close in a transaction that is rolled back', messages: [parse('select 1', 'x'), sync, query('begin'), query('select 1'), close('S', 'x'), sync, query('rollback'), bind([], 'x'), execute(), sync] },
  { name: 'Close with Flush behind each message', messages: [parse('select 1', 'x'), flush, close('S', 'x'), flush, close('P', 'y'), flush, parse('select 2', 'x'), flush, bind([], 'x'), flush, execute(), flush, close('P'), flush, sync] },
  { name: 'Close of everything at the end of a batch', messages: [parse(read, 's'), bind(['5'], 's', 'p'), describe('P', 'p'), execute('p'), close('P', 'p'), close('S', 's'), sync, ...alone('select 6')] },
];

const lives: readonly Script[] = [
  { name: 'the unnamed statement replaced behind its Bind', messages: [parse('select 1'), bind(), parse('select 2'), execute(), bind(), execute(), sync] },
  { name: 'the unnamed portal bound twice', messages: [parse(read), bind(['1']), bind(['2']), execute(), sync] },
  { name: 'a named portal bound twice', messages: [parse(read), bind(['1'], '', 'p'), bind(['2'], '', 'p'), execute('p'), sync, ...alone('select 3')] },
  { name: 'the unnamed statement over many batches', messages: [parse(read), sync, ...['1', '2', '3', '4'].flatMap((id) => [bind([id]), execute(), sync])] },
  { name: 'the unnamed statement after an error of its Bind', messages: [parse(read), sync, bind(['x']), execute(), sync, bind(['4']), execute(), sync] },
  { name: 'the unnamed statement after an error of its Execute', messages: [parse('select 1 / $1::int'), sync, bind(['0']), execute(), sync, bind(['1']), execute(), sync] },
  { name: 'the unnamed statement after a Parse that was skipped', messages: [parse('select 7'), sync, parse('selekt', 'x'), parse('select 8'), sync, bind(), execute(), sync] },
  { name: 'the unnamed statement of a transaction that is rolled back', messages: [query('begin'), parse('select 7'), sync, query('rollback'), bind(), execute(), sync] },
  { name: 'the unnamed statement parsed on one node and bound after a write', messages: [...alone('create temp table u (n int)'), ...alone('select 1'), parse('select count(*) from items'), sync, bind(), execute(), sync] },
  { name: 'a finished portal executed again', messages: [parse('select id from items where id < 3 order by id'), bind(), execute(), execute(), sync, query('create temp table f (n int)'), parse('insert into f values (1)'), bind(), execute(), execute(), sync, query('select n from f')] },
  { name: 'only Flush, only Sync', messages: [flush, flush, sync, flush, sync, sync, query('select 1')] },
  { name: 'Flush after an error', messages: [parse('selekt'), flush, bind(), flush, execute(), flush, sync, flush, ...alone('select 1')] },
  { name: 'Flush behind every message of a pipeline', messages: [1, 2, 3].flatMap((n) => [parse(read), flush, bind([String(n)]), flush, describe('P'), flush, execute(), flush, sync, flush]) },
];

const faults: readonly Script[] = [
  { name: 'an error of Parse at every place of a batch', messages: everywhere(extended('selekt')) },
  { name: 'an error of analysis at every place of a batch', messages: everywhere(extended('select nothere from items')) },
  { name: 'an error of Bind at every place of a batch', messages: everywhere(extended(read, ['x'])) },
  { name: 'an error of Describe at every place of a batch', messages: everywhere([describe('P', 'nowhere')]) },
  { name: 'an error of Execute at every place of a batch', messages: everywhere(extended('select 1/0')) },
  { name: 'an error half-way through rows at every place of a batch', messages: everywhere(extended('select 1/(3 - id) from items order by id limit 5')) },
  { name: 'an error of a write at every place of a batch', messages: everywhere(extended('insert into items values ($1, $2)', ['1', 'x'])) },
  { name: 'several errors in one batch', messages: [...extended('selekt'), ...extended('select 1/0'), ...extended('select nothere'), sync, ...extended('select 1/0'), sync, ...extended('select 2'), sync] },
  { name: 'several commands in one Parse', messages: [...alone('select 1; select 2'), ...alone('select 1;'), ...alone(';')] },
  { name: 'a parameter in a simple query', messages: [query('select $1'), query('select 1')] },
  { name: 'too many and too few parameters', messages: [parse(read, 's'), sync, bind([], 's'), execute(), sync, bind(['1', '2'], 's'), execute(), sync, bind(['1'], 's'), execute(), sync] },
  { name: 'a type that does not exist', messages: [parse('select $1', 's', [999_999]), sync, parse('select $1::nothere'), sync, ...alone('select 1')] },
  { name: 'a name that is in use, an error and the name again', messages: [parse('select 1', 'x'), sync, parse('select 2', 'x'), bind([], 'x'), execute(), sync, bind([], 'x'), execute(), sync] },
];

export const orders: readonly Script[] = [...describes, ...closes, ...lives, ...faults];
