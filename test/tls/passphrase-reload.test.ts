/** A reload that waits for ssl_passphrase_command: clients are served meanwhile, and reloads come one after the other. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReloadQueue } from '../../src/main/reload.js';
import { PassphraseError, runPassphraseCommand } from '../../src/main/tls/passphrase-command.js';
import { PcpClient } from '../pcp/pcp-client.js';
import { encryptKey, type TestCertificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { withClient, type Pgloom } from '../support/pgloom.js';
import { serialShown, withTlsPgloom } from './fixture.js';

const passphrase = 'my secret';
const pcpPassword = createHash('md5').update('secret').digest('hex');

/** ssl_passphrase_command waits in each of its runs until the test lets it go on. */
class Gate {
  readonly command: string;

  constructor(private readonly directory: string) {
    const [runs, go] = [join(directory, 'runs'), join(directory, 'go')];
    this.command = `echo $$ >> ${runs}; n=$(wc -l < ${runs}); while [ -d ${directory} -a ! -e ${go}.$n ]; do sleep 0.05; done; echo '${passphrase}'`;
    this.open(1);
  }

  /** Process ids of the runs there were. */
  get runs(): readonly string[] {
    const file = join(this.directory, 'runs');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  open(run: number): void {
    writeFileSync(join(this.directory, `go.${run}`), '');
  }

  begun(run: number): Promise<void> {
    return eventually(`run ${run} of the command`, () => this.runs.length >= run);
  }
}

/** The first run, at the start, does not wait. */
async function withGate(use: (pgloom: Pgloom, gate: Gate, certificates: TestCertificates, keyFile: string) => Promise<void>): Promise<void> {
  await withTlsPgloom(async (pgloom, certificates) => {
    const { key } = certificates.server;
    const gate = new Gate(pgloom.directory);
    const keyFile = await encryptKey(key, passphrase);
    appendFileSync(pgloom.configFile, `ssl_key = '${keyFile}'\nssl_passphrase_command = '${gate.command.replaceAll("'", "''")}'\n`);
    pgloom.signal('SIGHUP');
    await eventually('the command is in use', () => /parameters changed: .*ssl_passphrase_command/.test(pgloom.stderr()));
    await use(pgloom, gate, certificates, keyFile);
  }, { pcp: `postgres:${pcpPassword}\n` });
}

function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const reloadsOf = (pgloom: Pgloom): number => pgloom.stderr().split('reload config files.').length - 1;

test('while ssl_passphrase_command runs in a reload clients log in, PCP answers, and the reload has the files of its beginning', { timeout: 60_000 }, async () => {
  await withGate(async (pgloom, gate, { authority, server }, keyFile) => {
    // All that takes time beforehand: a run of the command ends after 10 s.
    const [pcp, waiting] = await Promise.all([PcpClient.login(pgloom.pcpPort), PcpClient.login(pgloom.pcpPort)]);
    const next = await authority.issueServer('localhost');
    const nextKey = await encryptKey(next.key, passphrase);
    pgloom.signal('SIGHUP');
    await gate.begun(2);
    await eventually('the reload is logged', () => reloadsOf(pgloom) === 2);
    // Neither of them fits to what stays of the other.
    copyFileSync(next.cert, server.cert);
    copyFileSync(nextKey, keyFile);
    appendFileSync(pgloom.configFile, 'client_idle_limit = 77\n');

    let answers = 0;
    const answered = waiting.request('Z', 'l').then((answer) => {
      answers++;
      return answer;
    });
    pgloom.signal('SIGHUP');
    pgloom.signal('SIGHUP');
    await withClient(pgloom, async (client) => assert.deepEqual((await client.query('select 42 as n')).rows, [{ n: 42 }]));
    assert.equal((await pcp.request('L')).type, 'l');
    assert.equal(await serialShown(pgloom), '01');
    assert.deepEqual([gate.runs.length, reloadsOf(pgloom), answers], [2, 2, 0]);

    gate.open(2);
    // The one that all three have asked for.
    await gate.begun(3);
    assert.doesNotMatch(pgloom.stderr(), /not reloaded|do not fit|client_idle_limit/);
    assert.equal(await serialShown(pgloom), '01');
    assert.equal((await pcp.request('L')).type, 'l');
    assert.equal(answers, 0);
    gate.open(3);
    assert.equal((await answered).payload.toString(), 'CommandComplete\0');
    await eventually('the last reload is logged', () => /parameters changed: client_idle_limit/.test(pgloom.stderr()));
    await eventually('the new certificate is shown', async () => await serialShown(pgloom) !== '01');
    assert.deepEqual([gate.runs.length, reloadsOf(pgloom)], [3, 3]);
    pcp.socket.destroy();
    waiting.socket.destroy();
  });
});

test('a stop in the middle of a reload ends the command and waits for nothing', { timeout: 60_000 }, async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    await withGate(async (pgloom, gate) => {
      pgloom.signal('SIGHUP');
      await gate.begun(2);
      pgloom.signal('SIGHUP');
      pgloom.signal(signal);
      assert.equal(await pgloom.exited, 0);
      assert.equal(gate.runs.length, 2);
      await eventually('the command has ended', () => gate.runs.every((pid) => !isRunning(pid)));
      assert.doesNotMatch(pgloom.stderr(), /not reloaded|ERROR|FATAL/);
    });
  }
});

test('what ssl_passphrase_command prints has a limit, and who gives up does not wait for it', async () => {
  await assert.rejects(runPassphraseCommand('yes'), /^PassphraseError: printed more than 64 kB$/);
  await assert.rejects(runPassphraseCommand('kill -9 $$'), /^PassphraseError: was ended by SIGKILL$/);
  await assert.rejects(runPassphraseCommand('secret \0'), (error: PassphraseError) => /^could not be run \(\w+\)$/.test(error.message) && !String(error.stack).includes('secret'));
  const giveUp = new AbortController();
  const running = runPassphraseCommand('sleep 1000', { giveUp: giveUp.signal });
  giveUp.abort();
  await assert.rejects(running, /^PassphraseError: was ended by the shutdown$/);
  await assert.rejects(runPassphraseCommand('sleep 1000', { giveUp: giveUp.signal }), /^PassphraseError: was not run$/);
});

test('reloads follow one another, what is asked for during one is one more, and a failed one holds none up', async () => {
  const ends: ((fails: boolean) => void)[] = [];
  const queue = new ReloadQueue(() => new Promise((resolve, reject) => {
    ends.push((fails) => (fails ? reject(new Error('failed')) : resolve()));
  }));
  const together = [queue.request(), queue.request()];
  await sleep(1);
  assert.equal(ends.length, 1);
  const later = [queue.request(), queue.request()];
  await sleep(1);
  assert.equal(ends.length, 1);
  ends[0]?.(true);
  assert.deepEqual((await Promise.allSettled(together)).map(({ status }) => status), ['rejected', 'rejected']);
  await sleep(1);
  assert.equal(ends.length, 2);
  ends[1]?.(false);
  await Promise.all(later);
  const last = queue.request();
  await sleep(1);
  assert.equal(ends.length, 3);
  ends[2]?.(false);
  await last;
});
