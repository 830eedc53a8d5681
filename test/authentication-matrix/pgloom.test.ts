/** The column of pgloom in the table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerMethod } from '../support/auth-server.js';
import { eventually } from '../support/eventually.js';
import { withClient, type Pgloom } from '../support/pgloom.js';
import { databaseOf, homeDatabase, setUpOf, setUps, storedForms, subjectsOf, userOf, type ClientMethod, type StoredForm, type Subject } from './axes.js';
import { jdbcLogins, noJdbc, pgLogins, tryWithDriver } from './driver-cells.js';
import { complaints, loginOf, psqlAtOnce, tryWithPsql } from './psql-cells.js';
import { noPsql, type Home, type Login } from './psql-logins.js';
import { tryByHand, wordsOf } from './raw-cells.js';
import { type Proxies, Stage } from './stage.js';
import { verdictOf } from './table.js';

const all = setUps.flatMap((setUp) => subjectsOf(setUp, storedForms));
/** Each cell once: every other one over TLS. */
const half = all.filter(({ client, server, stored, tls }) => tls === (client === 'cert' || (server.length + storedForms.indexOf(stored)) % 2 === 0));
/** For drivers, which are given no certificate. */
const storedAs = (...forms: StoredForm[]): Subject[] => half.filter(({ client, stored }) => client !== 'cert' && forms.includes(stored));
const verdict = (subject: Subject): ReturnType<typeof verdictOf> => verdictOf('pgloom', subject);

test('clients of pgloom', { timeout: 240_000 }, async (context) => {
  const stage = await Stage.open();
  try {
    await stage.withPgloom(async (proxies) => {
      await context.test('an unknown user, a user without a password and a wrong password look the same', () => looksTheSame(proxies));
      await context.test('empty answers and guesses beside a good session are refused', async () => {
        assert.deepEqual(await tryByHand(stage, proxies, half), []);
      });
      await context.test('the right password gets in where the table says so, and nothing else does', { skip: noPsql }, async () => {
        assert.deepEqual(complaints(await tryWithPsql(stage, proxies, all, homeBehind(proxies)), verdict), []);
      });
      await context.test('the same holds for pg', async () => {
        assert.deepEqual(await tryWithDriver(pgLogins, stage, proxies, storedAs('none', 'AES', 'verifier', 'query')), []);
      });
      await context.test('and for JDBC', { skip: noJdbc }, async () => {
        assert.deepEqual(await tryWithDriver(jdbcLogins, stage, proxies, storedAs('none', 'TEXT', 'md5', 'query')), []);
      });
      await context.test('the next client of a user gets the link of the last, but for those whom only the server can check', () => sharesLinks(stage, proxies));
      // The last, because all have other passwords then.
      await context.test('a changed password counts at the next login, and the old one no longer does', { skip: noPsql }, () => changes(stage, proxies));
    });
  } finally {
    await stage.close();
  }
});

/** A pooled link there costs the machine less than a process of the server's. */
function homeBehind(proxies: Proxies<Pgloom>): Home {
  return { port: proxies.rules.port, user: userOf('trust', 'TEXT'), database: homeDatabase };
}

/**
 * By each method that asks for a password; in relay mode that is the server's. Line md5 asks users with a verifier by SCRAM, as
 * PostgreSQL does, and so users without a password where auth_query is on.
 */
async function looksTheSame(proxies: Proxies<Pgloom>): Promise<void> {
  const asking: [ClientMethod, ServerMethod, StoredForm][] = [
    ['password', 'scram', 'TEXT'], ['md5', 'scram', 'verifier'], ['md5', 'scram', 'query'], ['scram', 'scram', 'TEXT'], ['scram', 'md5', 'md5'], ['scram', 'scram', 'query'],
    ['relay', 'password', 'TEXT'], ['relay', 'md5', 'md5'], ['relay', 'scram', 'AES'], ['relay', 'scram', 'query'],
  ];
  for (const [client, server, stored] of asking) {
    const { port } = proxies[setUpOf(client)];
    const words = (user: string): Promise<string> => wordsOf({ port, user, database: databaseOf(client), tls: true, password: 'a guess' });
    const expected = await words(userOf(server, stored));
    assert.match(expected, /^R\d+( R11)? E 28P01 password authentication failed for user "USER"$/, `${client} ${server} ${stored}`);
    // Of a role that does not exist the server asks another thing than of one with an md5 hash.
    const others = server === 'md5' && client === 'relay' ? ['none'] : ['none', 'ghost'];
    for (const user of others.map((name) => `${server}_${name}`)) assert.equal(await words(user), expected, `${client} ${user}`);
  }
}

async function changes(stage: Stage, proxies: Proxies<Pgloom>): Promise<void> {
  const home = homeBehind(proxies);
  const changing = half.filter((subject) => verdict(subject) === 'I' && subject.client !== 'cert');
  // Where pool_passwd has no line only the server knows: nothing has to be read again.
  const isAtServer = ({ stored }: Subject): boolean => stored === 'none' || stored === 'query';
  const rights = (subjects: readonly Subject[]): Login[] => subjects.map((subject) => loginOf(stage, proxies[setUpOf(subject.client)].port, subject, 'right'));
  const expectChanged = async (subjects: readonly Subject[], old: readonly Login[]): Promise<void> => {
    const found = await psqlAtOnce(home, rights(subjects).flatMap((login, i) => [old[i] ?? login, login]));
    assert.deepEqual(found.map(({ user }) => user), subjects.flatMap(({ server, stored }) => [null, userOf(server, stored)]));
  };
  const [atServer, inFile] = [changing.filter(isAtServer), changing.filter((subject) => !isAtServer(subject))];
  const [oldAtServer, oldInFile] = [rights(atServer), rights(inFile)];
  // So that links opened with the old passwords lie in the pools.
  const opened = await psqlAtOnce(home, [...oldAtServer, ...oldInFile]);
  assert.ok(opened.every(({ user }) => user !== null));
  await stage.changeAtServer();
  await expectChanged(atServer, oldAtServer);
  await stage.changeFiles(proxies);
  await expectChanged(inFile, oldInFile);
}

/**
 * A link that was opened with what a client has typed in, and only the server could check, serves nobody else: the next one
 * who types that in may have been locked out meanwhile.
 */
async function sharesLinks(stage: Stage, proxies: Proxies<Pgloom>): Promise<void> {
  const cells: [client: ClientMethod, server: ServerMethod, stored: StoredForm, isShared: boolean][] = [
    ['md5', 'md5', 'md5', true], ['md5', 'scram', 'AES', true], ['scram', 'scram', 'TEXT', true], ['scram', 'scram', 'verifier', true], ['scram', 'scram', 'query', true],
    ['password', 'scram', 'TEXT', true], ['relay', 'scram', 'TEXT', true], ['relay', 'trust', 'none', true],
    ['password', 'scram', 'none', false], ['relay', 'password', 'none', false], ['relay+clear', 'scram', 'none', false],
  ];
  for (const [client, server, stored, isShared] of cells) {
    const name = `client ${client}, server ${server}, stored ${stored}`;
    const user = userOf(server, stored);
    const config = { port: proxies[setUpOf(client)].port, user, database: databaseOf(client), password: stage.passwordOf(user) };
    const backend = (): Promise<number> => withClient({ host: '127.0.0.1', port: config.port }, async (db) => {
      const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
      return rows[0]?.pid ?? 0;
    }, config);
    const first = await backend();
    const seen = new Set([first]);
    // The link comes back to the pool, or is closed, a moment after its client has gone: another may be had meanwhile.
    if (isShared) await eventually(`${name}: a link is used again`, async () => seen.size === seen.add(await backend()).size);
    else await eventually(`${name}: the link is closed`, async () => (await stage.server.query(`select from pg_stat_activity where pid = ${first}`)).length === 0);
  }
}
