/** Random messages of clients: mostly right, some damaged, in any order. */
import {
  bind, close, copyData, copyDone, copyFail, describe, execute, flush, functionCall, message, parse, query, startup, sync, terminate,
} from '../../test/protocol/messages.js';

export type Random = () => number;

const texts = [
  'select 1', 'select 2; select 3', 'select id from items where id < 5', 'select name from items where id = 7', "select 'x' || repeat('y', 3000)",
  'select * from generate_series(1, 300)', 'select 1/0', 'selekt', '', ';', '-- nothing', 'begin', 'begin read only', 'commit', 'rollback', 'savepoint a',
  'rollback to a', 'begin; select 1', 'create temp table if not exists f (n int)', 'insert into f values (1)', 'select count(*) from f',
  'copy f from stdin', 'copy items to stdout', 'copy (select 1) to stdout', "set application_name = 'fuzz'", "set timezone = 'Asia/Tokyo'", 'reset all', 'listen fuzz', 'notify fuzz',
  'discard all', "do $$ begin raise notice 'n'; end $$", 'prepare q as select 4', 'execute q', 'deallocate all', 'show pool_nodes', 'show pool_version', 'show timezone',
  'select pg_advisory_lock_shared(77)', 'declare c cursor for select 1', 'select $1::int', 'select $1::text, $2::text', 'select volatile_one()', 'values (1), (2)',
  "select set_config('work_mem', '2MB', false)", 'explain select 1', 'lock table items in access share mode',
] as const;
const names = ['', '', '', 'a', 'b', 'c'] as const;
const portals = ['a', 'b', 'c'] as const;
const letters = 'QPBDECSHXFdcfpRZTNKvW\0\xff';

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

/**
 * A message as a client in its right mind could send it, though perhaps not now. Execute of the unnamed portal comes only
 * behind its Bind: PostgreSQL 18.4 crashes on `begin`, a utility statement that fails, and Execute of what it left.
 */
function rightMessage(random: Random): Buffer[] {
  const roll = Math.floor(random() * 40);
  if (roll < 12) return [query(pick(random, texts))];
  if (roll < 18) return [Buffer.concat([parse(pick(random, texts)), bind(), execute(), sync])];
  if (roll < 20) return [Buffer.concat([parse(pick(random, texts)), bind(), describe('P'), execute('', 1), flush, execute(), sync])];
  switch (roll) {
    case 20: case 21: return [parse(pick(random, texts), pick(random, names))];
    case 22: case 23: return [bind(pick(random, [[], ['1'], ['1', null], ['x'.repeat(9000), 'y']]), pick(random, names), pick(random, names))];
    case 24: case 25: return [describe(pick(random, ['S', 'P']), pick(random, names))];
    case 26: case 27: return [execute(pick(random, portals), pick(random, [0, 0, 1, 7]))];
    case 28: return [close(pick(random, ['S', 'P']), pick(random, names))];
    case 29: case 30: case 31: case 32: case 33: return [sync];
    case 34: return [flush];
    case 35: return [copyData(pick(random, ['1\n', 'wrong\n', '2\n3\n', '']))];
    case 36: return [pick(random, [copyDone, copyDone, copyFail('enough')])];
    case 37: return [functionCall(1397, pick(random, [['-3'], [], ['x']]))];
    case 38: return [query(`select ${Math.floor(random() * 1e6)} as "${'n'.repeat(Math.floor(random() * 60))}"`)];
    default: return random() < 0.2 ? [terminate] : [query('copy f from stdin'), copyData('5\n'), copyDone];
  }
}

const oddLengths = [0, 1, 3, 4, 5, -1, 2 ** 31 - 1, -(2 ** 31), 0x3fff_ffff, 0x4000_0000, 9_999, 10_001, 70_000] as const;

/** Something is wrong with it: its length, its letter, its end, or bits of it. */
export function damaged(random: Random, original: Buffer): Buffer {
  const bytes = Buffer.from(original);
  switch (Math.floor(random() * 6)) {
    case 0:
      if (bytes.length >= 5) bytes.writeInt32BE(pick(random, oddLengths) | 0, 1);
      return bytes;
    case 1:
      bytes[0] = letters.charCodeAt(Math.floor(random() * letters.length));
      return bytes;
    case 2:
      return bytes.subarray(0, Math.floor(random() * bytes.length));
    case 3:
      for (let flips = 1 + Math.floor(random() * 4); flips > 0; flips--) {
        const at = Math.floor(random() * bytes.length);
        bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
      }
      return bytes;
    case 4: // the body is short of its end, the length is right
      return message(String.fromCharCode(bytes[0] ?? 0x51), bytes.subarray(5, Math.max(5, bytes.length - 1)));
    default:
      return Buffer.from(Array.from({ length: Math.floor(random() * 64) }, () => Math.floor(random() * 256)));
  }
}

/** A burst of messages. @param damage probability that one is damaged */
export function burst(random: Random, most: number, damage: number): { bytes: Buffer; count: number } {
  const parts: Buffer[] = [];
  let count = 0;
  for (let wanted = 1 + Math.floor(random() * most); count < wanted;) {
    for (const one of rightMessage(random)) {
      const isPart = one[0] === 0x50 && one.at(-5) === 0x53; // a batch kept whole
      count += isPart ? 4 : 1;
      parts.push(!isPart && random() < damage ? damaged(random, one) : one);
    }
  }
  return { bytes: Buffer.concat(parts), count };
}

/** A first packet, one in eight damaged. */
export function firstPacket(random: Random): Buffer {
  const right = startup({ user: 'postgres', database: 'test' }, random() < 0.05 ? 196_610 : 196_608);
  return random() < 0.125 ? damaged(random, right) : right;
}
