/** psql, and so libpq, over three nodes. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Pgloom, startPgloom } from '../support/pgloom.js';
import { untilRunning } from '../support/running.js';

const version = /(\d+)\./.exec(spawnSync('psql', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
const skip = version === undefined ? 'psql is not installed' : false;
/** psql 16 and later can bind parameters. */
const skipBind = Number(version) >= 16 ? false : `\\bind needs psql 16, this is ${version ?? 'none'}`;

let pgloom: Pgloom;
let directory: string;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pgloom-psql-'));
  pgloom = await startPgloom({ settings: { num_init_children: 32 } });
});
after(async () => {
  await pgloom.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Often enough that every node is the reader at least once. */
const sessions = 4;

function start(args: readonly string[]): { readonly child: ReturnType<typeof spawn>; readonly done: Promise<{ out: string; error: string; status: number | null }> } {
  const child = spawn('psql', ['-X', '-h', pgloom.host, '-p', String(pgloom.port), '-U', 'postgres', '-d', 'test', '-At', ...args],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, PGCLIENTENCODING: 'UTF8' } });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk; });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { error += chunk; });
  const done = new Promise<{ out: string; error: string; status: number | null }>((resolve) => {
    child.once('close', (status) => resolve({ out, error, status }));
  });
  return { child, done };
}

/** Runs a script on standard input. */
async function psql(script: string, args: readonly string[] = []): Promise<{ out: string; error: string; status: number | null }> {
  const { child, done } = start(args);
  child.stdin?.end(script);
  return done;
}

async function everywhere(script: string, expected: string, args: readonly string[] = []): Promise<void> {
  for (let i = 0; i < sessions; i++) {
    const { out, error, status } = await psql(script, args);
    assert.deepEqual({ out, error, status }, { out: expected, error: '', status: 0 });
  }
}

test('psql: simple queries, reads and writes', { skip }, () => everywhere(
  "select 1;\ninsert into bumps default values;\nselect name from items where id = 2;\nselect 3\\; select 4;\n", '1\nINSERT 0 1\nitem 2\n3\n4\n',
));

test('psql: parameters', { skip: skipBind }, () => everywhere('select $1, $2 \\bind one two \\g\nselect name from items where id = $1 \\bind 1 \\g\n', 'one|two\nitem 1\n'));

test('psql: prepared statements by SQL', { skip }, () => everywhere(
  'prepare p as select name from items where id = $1;\nexecute p(1);\nselect 1;\nexecute p(2);\ndeallocate p;\n', 'PREPARE\nitem 1\n1\nitem 2\nDEALLOCATE\n',
));

test('psql: results in portions', { skip }, () => everywhere('select id from items where id <= 5 order by id;\nselect 1;\n', '1\n2\n3\n4\n5\n1\n', ['-v', 'FETCH_COUNT=2']));

test('psql: \\copy in and out', { skip }, async () => {
  const file = join(directory, 'lines');
  writeFileSync(file, '1\tone\n2\ttwo\n');
  await everywhere(`create temp table copied (n int, t text);\n\\copy copied from '${file}'\n\\copy copied to stdout\n\\copy (select count(*) from items where id <= 100) to stdout\nselect count(*) from copied;\n`,
    'CREATE TABLE\nCOPY 2\n1\tone\n2\ttwo\n100\n2\n');
});

test('psql: errors in transactions, and psql goes on after them', { skip }, async () => {
  for (let i = 0; i < sessions; i++) {
    const { out, error } = await psql('begin;\nselect 1/0;\nselect 1;\nrollback;\nselect 2;\n');
    assert.equal(out, 'BEGIN\nROLLBACK\n2\n');
    assert.match(error, /division by zero[^]*current transaction is aborted/);
  }
});

test('psql: on_error_rollback works with its savepoints', { skip }, async () => {
  const { out } = await psql("\\set ON_ERROR_ROLLBACK on\nbegin;\nselect 1/0;\nselect 1;\ncommit;\nselect 2;\n");
  assert.equal(out, 'BEGIN\n1\nCOMMIT\n2\n');
});

test('psql: LISTEN and NOTIFY', { skip }, async () => {
  const { out } = await psql("listen by_psql;\nnotify by_psql, 'hello';\nselect 1;\n");
  assert.match(out, /LISTEN\nNOTIFY\n[^]*Asynchronous notification "by_psql" with payload "hello" received/);
});

test('psql: Ctrl-C cancels the query', { skip }, async () => {
  for (const sql of ['select pg_sleep(60) as by_psql', 'select count(*) as by_psql from generate_series(1, 1e12)']) {
    const { child, done } = start(['-c', sql]);
    await untilRunning(sql);
    child.kill('SIGINT');
    assert.match((await done).error, /canceling statement due to user request/);
  }
});

test('psql: large objects', { skip }, async () => {
  const file = join(directory, 'object');
  const back = join(directory, 'object.back');
  writeFileSync(file, 'large object\n'.repeat(10_000));
  await everywhere(`\\lo_import '${file}'\n\\lo_export :LASTOID '${back}'\n\\lo_unlink :LASTOID\n`.replace('\\lo_import', '\\set QUIET on\n\\lo_import'), '');
  assert.equal(spawnSync('cmp', [file, back]).status, 0);
});

test('psql: its own commands about the catalog', { skip }, async () => {
  // Those that a psql older than the server can do.
  for (const command of ['\\d items', '\\dt', '\\df bump', '\\dn', '\\conninfo']) {
    const { error, status, out } = await psql(`${command}\n`);
    assert.deepEqual([error, status], ['', 0], command);
    assert.notEqual(out, '', command);
  }
});

test('psql: several -c, --single-transaction and variables', { skip }, async () => {
  const { out, status } = await psql('', ['-1', '-v', 'n=7', '-c', 'select 1', '-c', 'insert into bumps default values', '-c', 'select 2']);
  assert.deepEqual([out, status], ['1\nINSERT 0 1\n2\n', 0]);
});
