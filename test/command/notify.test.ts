/** What systemd is told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.js';
import { launch, ours, type Scratch, type Started, withScratch } from './commands.js';

/** Prints each datagram as one line of JSON. */
const receiver = `
import json, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(('\\0' + name[1:]) if name.startswith('@') else name)
print('bound', flush=True)
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;
const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';
const noVerify = spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'systemd-analyze is not installed';

async function withReceiver(name: string, use: (received: () => readonly string[]) => Promise<void>): Promise<void> {
  const python = launch('python3', ['-c', receiver, name]);
  let text = '';
  python.child.stdout?.on('data', (chunk: string) => { text += chunk; });
  try {
    await eventually('the receiver is bound', () => text.startsWith('bound\n'));
    await use(() => text.slice(0, text.lastIndexOf('\n')).split('\n').slice(1).map((line) => JSON.parse(line) as string));
  } finally {
    python.child.kill('SIGKILL');
    await python.ended;
  }
}

async function stopped(pgpool: Started): Promise<void> {
  pgpool.child.kill('SIGINT');
  assert.equal((await pgpool.ended).status, 0);
}

function isReady(message: string): boolean {
  return message.startsWith('READY=1\nSTATUS=listening on 127.0.0.1:');
}

async function tells(scratch: Scratch, name: string): Promise<void> {
  await withReceiver(name, async (received) => {
    const pgpool = launch(ours, ['-n', '-f', scratch.configFile], { env: { NOTIFY_SOCKET: name } });
    await eventually('it is ready', () => received().length === 1);
    assert.ok(isReady(received()[0] ?? ''), JSON.stringify(received()));
    pgpool.child.kill('SIGHUP');
    await eventually('it has reloaded', () => received().length === 3);
    const [, reloading = '', ready = ''] = received();
    const beganUs = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\n/.exec(reloading)?.[1];
    // The clock since boot, which this process reads, too.
    const nowUs = process.hrtime.bigint() / 1000n;
    assert.ok(beganUs !== undefined && BigInt(beganUs) <= nowUs && nowUs - BigInt(beganUs) < 60_000_000n, reloading);
    assert.ok(isReady(ready), ready);
    // A faulty file is a finished reload, too: systemd must not wait for ever.
    const good = readFileSync(scratch.configFile);
    writeFileSync(scratch.configFile, 'prt = 1\n');
    pgpool.child.kill('SIGHUP');
    await eventually('it has tried to reload', () => received().length === 5);
    assert.ok(isReady(received()[4] ?? ''));
    writeFileSync(scratch.configFile, good);
    await stopped(pgpool);
    await eventually('it tells that it stops', () => received().length === 6);
    assert.match(received()[5] ?? '', /^STOPPING=1\n/);
  });
}

test('systemd is told of readiness, reloads and the end through the socket that it names', { skip: noPython }, async () => {
  await withScratch({}, (scratch) => tells(scratch, join(scratch.directory, 'notify.sock')));
});

test('the socket may have an abstract name', { skip: noPython }, async () => {
  await withScratch({}, (scratch) => tells(scratch, `@pgloom-test-${process.pid}`));
});

test('the watchdog is fed while pgpool runs, unless it is meant for another process', { skip: noPython }, async () => {
  await withScratch({}, async (scratch) => {
    const name = join(scratch.directory, 'notify.sock');
    await withReceiver(name, async (received) => {
      const feeds = (): number => received().filter((message) => message === 'WATCHDOG=1').length;
      const fed = launch(ours, ['-n', '-f', scratch.configFile], { env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: '200000' } });
      await eventually('it is fed', () => feeds() > 3);
      await stopped(fed);
      await eventually('the end is told', () => received().some((message) => message.startsWith('STOPPING=1')));
      const before = feeds();
      const other = launch(ours, ['-n', '-f', scratch.configFile], { env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' } });
      await eventually('it is ready', () => received().filter(isReady).length === 2);
      await stopped(other);
      await eventually('the end is told', () => received().filter((message) => message.startsWith('STOPPING=1')).length === 2);
      assert.equal(feeds(), before);
    });
  });
});

test('a socket that nobody listens at, and one of another kind, do no harm', async () => {
  await withScratch({}, async (scratch) => {
    for (const name of [join(scratch.directory, 'none.sock'), 'vsock:2:1234', '@', `/${'x'.repeat(200)}`]) {
      const pgpool = launch(ours, ['-n', '-f', scratch.configFile], { env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: '10000' } });
      await eventually('it is ready', () => pgpool.stderr().includes('pgloom is ready'));
      await stopped(pgpool);
    }
  });
});

test('the unit file in samples is one that systemd understands', { skip: noVerify }, async () => {
  await withScratch({}, async ({ directory }) => {
    const unit = sampleUnit();
    // The file that it is to start must exist.
    const file = join(directory, 'pgloom-test.service');
    writeFileSync(file, unit.replace('/usr/local/bin/pgpool', process.execPath));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    const about = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('pgloom-test'));
    assert.deepEqual([status, about], [0, []]);
  });
});

/** From the folder of the package, wherever this was built to. */
function sampleUnit(): string {
  for (let folder = new URL('.', import.meta.url); folder.pathname !== '/'; folder = new URL('..', folder)) {
    try {
      return readFileSync(fileURLToPath(new URL('src/main/config/samples/pgpool.service', folder)), 'utf8');
    } catch {
      // Further up.
    }
  }
  throw new Error('src/main/config/samples/pgpool.service was not found');
}
