/** Session state holds wherever the reads go, and rows that only grow never shrink on one server. */
import { schemas, stamps } from './schema.js';
import { below, type Scenario } from './scenario.js';

const nameSql = "select current_setting('application_name')";

export const settings: Scenario = async ({ session, random }) => {
  const first = session.unique();
  await session.ask(`set application_name = '${first}'`);
  session.equal(await session.ask(nameSql), [[first]], 'SET application_name');
  const schema = schemas[below(random, schemas.length)] ?? schemas[0];
  await session.ask(`set search_path = ${schema}`);
  session.equal(await session.ask('select who from here'), [[schema]], 'SET search_path');
  session.equal(await session.askWith('select who, $1::text from here', [first]), [[schema, first]], 'SET search_path, with parameters');
  await session.begin();
  session.equal(await session.ask('select who from here'), [[schema]], 'SET search_path, in a transaction');
  await session.ask(random() < 0.5 ? "set local application_name = 'local'" : "set application_name = 'local'");
  session.equal(await session.ask(nameSql), [['local']], 'SET in a transaction');
  await session.ask('rollback');
  session.equal(await session.ask(nameSql), [[first]], 'SET taken back by ROLLBACK');
  await session.ask('reset all');
  session.equal(await session.ask(nameSql), [[session.login.applicationName]], 'RESET ALL');
  await session.fail('select who from here', '42P01');
};

const stampsSql = `select current_setting('port')::int, id, version from stamps where id between 1 and ${stamps} order by id`;

/** Versions never go back on one server, and those that were acknowledged are on the primary. */
export const growingRows: Scenario = async ({ session, random, sightings }) => {
  for (let n = 1 + below(random, 4); n > 0; n--) {
    if (random() < 0.4) {
      const id = 1 + below(random, stamps);
      sightings.beginWrite(id);
      const rows = await session.askWith('update stamps set version = version + 1 where id = $1 returning version', [String(id)]);
      sightings.endWrite(id, Number(rows[0]?.[0]));
    }
    const onPrimary = random() < 0.3;
    if (onPrimary) await session.begin('begin isolation level serializable');
    const least = sightings.beginRead();
    const rows = await session.ask(stampsSql);
    if (onPrimary) await session.ask('commit');
    const port = Number(rows[0]?.[0]);
    const versions = rows.map((row) => Number(row[2]));
    const most = sightings.endRead(port, versions);
    session.equal(rows.map((row) => row[1]), Array.from({ length: stamps }, (_, i) => String(i + 1)), 'the rows that only grow');
    session.holds(least(port).every((version, i) => (versions[i] ?? -1) >= version), `versions never go back on port ${port} (${least(port).join()})`, versions);
    session.holds(versions.every((version, i) => version <= (most[i] ?? 0)), 'versions are not from the future', versions);
  }
};

/** Nothing of an earlier session is left on the links of this one; asked of the reader and of the primary. */
export const leftovers: Scenario = async ({ session }) => {
  const { user, database, applicationName } = session.login;
  const clean = `"$user", public/f/4MB/0/${user}/0/0/0/0`;
  const who = "current_setting('application_name'), current_user, session_user, current_database()";
  const expected = [applicationName, user, user, database];
  session.equal(await session.ask(`select soak_left(), ${who}`), [[clean, ...expected]], 'leftovers on the reader');
  await session.begin();
  await session.ask('update notes set k = 0 where false');
  session.equal(await session.ask(`select soak_left(), ${who}`), [[clean, ...expected]], 'leftovers on the primary');
  session.equal(await session.ask('select * from pg_listening_channels()'), [], 'channels left on the primary');
  await session.ask('commit');
};
