/** The failover and recovery scripts against real servers, run as pgpool and as the servers run them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { queryServer, type Row } from '../../src/main/demo/sql.js';
import { serverIdentity, spawnIdentity } from '../../src/main/demo/unprivileged.js';
import { operatingSystemUser } from '../../src/main/setup/layout.js';
import { findServerPrograms, hasProgram } from '../../src/main/setup/server-programs.js';
import { freePorts, type SetUpDirectory, setUpDirectory } from '../setup/set-up-directory.js';
import { eventually } from '../support/eventually.js';

const user = operatingSystemUser();
const identity = serverIdentity();
const { directory: bin } = findServerPrograms('', identity, '/tmp');
const missing = ['psql', 'pg_basebackup', 'pg_rewind'].filter((program) => !hasProgram(bin, program));
const skip = missing.length === 0 ? false : `${bin} has no ${missing.join(', ')}`;

interface Run {
  readonly status: number | null;
  readonly output: string;
}

class Nodes {
  constructor(private readonly made: SetUpDirectory, private readonly firstPort: number) {}

  port(node: number): number {
    return this.firstPort + node;
  }

  data(node: number): string {
    return path.join(this.made.directory, `data${node}`);
  }

  sql<R extends Row>(node: number, sql: string): Promise<R[]> {
    return queryServer<R>({ host: this.made.socketDirectory, port: this.port(node), user, database: 'test' }, sql);
  }

  stop(node: number, mode: string): void {
    assert.equal(this.asServer(path.join(bin, 'pg_ctl'), '-D', this.data(node), '-m', mode, '-w', 'stop').status, 0);
  }

  /** As a server runs it: as its user, in its data directory. */
  asServer(program: string, ...args: readonly string[]): Run {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: '/', ...spawnIdentity(identity) });
    return { status, output: stdout + stderr };
  }

  /** As pgpool runs it: by a shell, in the root directory. The arguments are those of failover.sh. */
  script(name: string, failed: number, newMain: number, oldPrimary: number): Run {
    const { socketDirectory: host, directory } = this.made;
    const hasMain = newMain >= 0;
    const words = [failed, host, this.port(failed), this.data(failed), newMain, hasMain ? host : "''", 0, oldPrimary, hasMain ? this.port(newMain) : "''", hasMain ? this.data(newMain) : "''", host, this.port(oldPrimary)];
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', `${path.join(directory, 'etc', name)} ${words.join(' ')}`], { encoding: 'utf8', cwd: '/' });
    return { status, output: stdout + stderr };
  }

  /** Arguments of a recovery script: the node is made anew from the main node. */
  recovery(main: number, target: number): string[] {
    return [this.data(main), this.made.socketDirectory, this.data(target), String(this.port(main)), String(target), String(this.port(target)), 'localhost'];
  }

  async standbys(node: number): Promise<string[]> {
    const rows = await this.sql<{ name: string }>(node, "select application_name as name from pg_stat_replication where state = 'streaming' order by 1");
    return rows.map(({ name }) => name);
  }

  /** Waits until the standby has replayed what its primary has written. */
  async caughtUp(primary: number, standby: number): Promise<void> {
    const [row] = await this.sql<{ lsn: string }>(primary, 'select pg_current_wal_flush_lsn()::text as lsn');
    const asked = `select coalesce(pg_last_wal_replay_lsn() >= '${row?.lsn}', false) as done`;
    await eventually(`node ${standby} catches up`, async () => (await this.sql<{ done: boolean }>(standby, asked))[0]?.done === true);
  }
}

async function setUp(t: TestContext, ...options: readonly (string | number)[]): Promise<Nodes> {
  const made = setUpDirectory(t);
  const port = await freePorts(6);
  const { status, output } = await made.run('pgpool-setup', '-p', port, '--no-stop', ...options);
  assert.equal(status, 0, output);
  return new Nodes(made, port + 2);
}

function succeeds(run: Run): string {
  assert.equal(run.status, 0, run.output);
  return run.output;
}

test('after the primary has died failover.sh promotes, follow_primary.sh turns the others, and recovery brings it back', { skip }, async (t) => {
  const nodes = await setUp(t, '-n', 3, '-s', '-r');
  await nodes.sql(0, 'create table t (i int); insert into t select generate_series(1, 1000)');
  await nodes.caughtUp(0, 1);

  assert.match(succeeds(nodes.script('failover.sh', 2, 0, 0)), /it was not the primary/);
  assert.match(succeeds(nodes.script('failover.sh', 0, -1, 0)), /no node is left/);
  nodes.stop(0, 'immediate');
  assert.match(succeeds(nodes.script('failover.sh', 0, 1, 0)), /node 1 is the primary now/);
  await nodes.sql(1, 'insert into t values (1001)');
  assert.equal(nodes.script('failover.sh', 0, 1, 0).status, 1, 'a primary cannot be promoted');

  const followed = succeeds(nodes.script('follow_primary.sh', 2, 1, 0));
  assert.match(followed, /node 2 follows node 1 and is attached/);
  assert.doesNotMatch(followed, /copying/);
  await nodes.caughtUp(1, 2);
  assert.deepEqual(await nodes.standbys(1), ['server2']);
  assert.match(succeeds(nodes.script('follow_primary.sh', 0, 1, 0)), /node 0 does not run: left as it is/);

  assert.equal(nodes.asServer(path.join(nodes.data(1), 'recovery_1st_stage'), ...nodes.recovery(1, 2)).status, 1, 'a running server is not overwritten');
  succeeds(nodes.asServer(path.join(nodes.data(1), 'recovery_1st_stage'), ...nodes.recovery(1, 0)));
  succeeds(nodes.asServer(path.join(nodes.data(1), 'pgpool_remote_start'), 'localhost', nodes.data(0)));
  await nodes.caughtUp(1, 0);
  assert.deepEqual(await nodes.sql(0, 'select pg_is_in_recovery() as standby, count(*)::int as n from t'), [{ standby: true, n: 1001 }]);
});

test('follow_primary.sh copies the new primary when it may not rewind, and keeps the own configuration files', { skip }, async (t) => {
  const nodes = await setUp(t, '-n', 2);
  await nodes.sql(0, 'create table t (i int)');
  await nodes.caughtUp(0, 1);
  appendFileSync(path.join(nodes.data(1), 'postgresql.conf'), '# kept\n');
  // Both are primaries now, as after a network that was parted.
  await nodes.sql(1, 'select pg_promote(true, 60)');
  await nodes.sql(1, 'create table lost (i int)');
  assert.match(succeeds(nodes.script('follow_primary.sh', 1, 0, 1)), /copying the primary/);
  await nodes.caughtUp(0, 1);
  assert.deepEqual(await nodes.sql(1, "select to_regclass('t') is not null as t, to_regclass('lost') is null as lost"), [{ t: true, lost: true }]);
  assert.match(readFileSync(path.join(nodes.data(1), 'postgresql.conf'), 'utf8'), /# kept\n/);
});

test('recovery in the replication modes: the second stage brings what was written after the copy, sequences too', { skip }, async (t) => {
  const nodes = await setUp(t, '-n', 2, '-m', 'r');
  await nodes.sql(0, 'create table t (i serial); insert into t select from generate_series(1, 50)');
  nodes.stop(1, 'fast');
  const script = (name: string): string => path.join(nodes.data(0), name);
  succeeds(nodes.asServer(script('replication_mode_recovery_1st_stage'), ...nodes.recovery(0, 1)));
  await nodes.sql(0, 'insert into t select from generate_series(1, 5)');
  succeeds(nodes.asServer(script('replication_mode_recovery_2nd_stage'), ...nodes.recovery(0, 1)));
  succeeds(nodes.asServer(script('pgpool_remote_start'), 'localhost', nodes.data(1)));
  await untilWritable(nodes, 1);
  for (const node of [0, 1]) {
    assert.deepEqual(await nodes.sql(node, "select count(*)::int as n, max(i) as last, nextval('t_i_seq')::int as next from t"), [{ n: 55, last: 55, next: 56 }], `node ${node}`);
  }
  assert.equal(existsSync(path.join(nodes.data(1), 'recovery.signal')), false);
});

/** The end of archive recovery may come a moment after the server accepts connections. */
async function untilWritable(nodes: Nodes, node: number): Promise<void> {
  await eventually(`node ${node} ends its recovery`, async () => (await nodes.sql<{ standby: boolean }>(node, 'select pg_is_in_recovery() as standby'))[0]?.standby === false);
}
