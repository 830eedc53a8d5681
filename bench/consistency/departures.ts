/** How sessions end: in order, or in the middle of anything, with state behind them that nobody may find. */
import { setTimeout as sleep } from 'node:timers/promises';
import { firstError } from '../../test/support/wire-fields.js';
import { bind, execute, parse, sync } from '../../test/protocol/messages.js';
import { pick } from '../fuzz/grammar.js';
import { below, type Scenario, type Setting } from './scenario.js';

/**
 * A query is cancelled, and the next one is answered as if nothing had been. A server that has not begun with the query yet ignores the
 * request, so the query may also come to its end.
 */
export const cancelledQuery: Scenario = async ({ session, random }) => {
  session.client.query('select pg_sleep(3)');
  await sleep(5 + below(random, 20));
  await session.cancel();
  const messages = await session.messages();
  const error = firstError(messages)?.['C'];
  if (error === undefined) session.equal(session.rows(messages), [['']], 'a query that was cancelled too early');
  else session.equal(error, '57014', 'a cancelled query');
  if (error !== undefined) session.ledger.cancelled++;
  const mark = session.unique();
  session.equal(await session.ask(`select '${mark}'`), [[mark]], 'the query after a cancelled one');
};

const dirt = [
  "set application_name = 'left behind'", 'set search_path = soak_x', "set timezone = 'Asia/Tokyo'", "set work_mem = '2MB'", 'set statement_timeout = 12345',
  'create temp table mine (n int)', 'select pg_advisory_lock_shared(77)', 'listen soak', 'prepare left_behind as select 1', 'declare c cursor with hold for select 1',
  "select set_config('work_mem', '3MB', false)",
] as const;

/** Leaves state behind, then the session. */
export async function leave({ session, random }: Setting): Promise<void> {
  const { client } = session;
  const left = Array.from({ length: below(random, 4) }, () => pick(random, dirt));
  for (const text of new Set(left)) await session.ask(text);
  if (random() < 0.1) await session.askWith('select 1', [], 'left_behind_too');
  if (random() < 0.7) {
    client.end();
    return;
  }
  session.ledger.vanished++;
  switch (below(random, 6)) {
    case 0: // in the middle of a long answer
      client.query("select repeat('x', 1000) from generate_series(1, 5000)");
      await client.readMessage();
      break;
    case 1: // in the middle of a transfer
      await session.begin();
      await session.ask('update public.accounts set balance = balance - 1 where id = 3');
      break;
    case 2: // in the middle of a query
      client.query('select pg_sleep(0.2)');
      await sleep(10);
      break;
    case 3: // in the middle of a COPY
      client.query('copy public.notes from stdin');
      await client.readUntil('G');
      client.copyData(`${session.tag}\t1\tnever`);
      break;
    case 4: // with answers on their way
      for (let n = 0; n < 20; n++) session.write(Buffer.concat([parse('select $1::text'), bind([session.unique()]), execute(), sync]));
      break;
    default: // in the middle of a message
      session.write(Buffer.from([0x51, 0, 0, 1, 0, 0x73, 0x65]));
  }
  if (random() < 0.5) client.destroy();
  else client.reset();
}
