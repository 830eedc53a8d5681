/** log_destination = syslog, with a real receiver on /dev/log. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { LogLevel } from '../../src/shared/logger.js';
import { syslogDatagrams, syslogJson, syslogSeverity } from '../../src/shared/syslog-message.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { openSockets } from '../support/open-files.js';
import { withClient } from '../support/pgloom.js';
import { noPgpool2 } from '../support/pgpool2.js';
import { startLoggingPgpool2 } from '../routing/table/pgpool2.js';
import { launch } from './launch.js';

const socketPath = '/dev/log';
const canReceive = process.platform === 'linux' && process.getuid?.() === 0 && !existsSync(socketPath);
const skip = canReceive ? false : '/dev/log belongs to somebody else, or we are not root';

/** Python, because Node has no datagram sockets of that family. Prints each datagram in hexadecimal on a line. */
const program = `
import os, signal, socket
try: os.unlink('${socketPath}')
except FileNotFoundError: pass
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('${socketPath}')
os.chmod('${socketPath}', 0o777)
print('ready', flush=True)
while True: print(s.recv(100000).hex(), flush=True)
`;

interface Receiver {
  readonly process: ChildProcess;
  text(): string;
  lines(): string[];
  end(): Promise<void>;
}

async function receive(t: TestContext): Promise<Receiver> {
  const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
  const exited = new Promise<void>((resolve) => { child.once('close', () => resolve()); });
  const end = async (): Promise<void> => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
    rmSync(socketPath, { force: true });
  };
  t.after(end);
  await eventually('the receiver is ready', () => text.startsWith('ready\n'));
  const lines = (): string[] => text.split('\n').slice(1, -1).map((hex) => Buffer.from(hex, 'hex').toString());
  return { process: child, lines, text: () => lines().join('\n'), end };
}

/** Datagram sockets of the process: it has them for syslog only. */
function syslogSockets(pid: number): number {
  const own = openSockets(pid);
  const rows = readFileSync('/proc/net/unix', 'utf8').split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , , , type, , inode]) => type === '0002' && own.has(inode ?? '')).length;
}

const own = { log_destination: 'syslog', syslog_facility: 'LOCAL3', syslog_ident: 'loom', log_statement: true, log_line_prefix: '%P ', worker_threads: 1 };

describe('log_destination = syslog', { skip }, () => {
  it('sends every line to /dev/log with facility, ident and the id of the child, and none to standard error', async (t) => {
    const receiver = await receive(t);
    const pgloom = await launch(t, own);
    await withClient(pgloom, (client) => client.query("select 'by syslog'"));
    await untilMatch(receiver.text, /by syslog/);
    const line = receiver.lines().find((text) => text.includes('by syslog')) ?? '';
    assert.match(line, /^<158>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d loom\[\d+\]: \[\d+-1\] child LOG: {2}statement: select 'by syslog'$/);
    assert.match(receiver.text(), new RegExp(`^<158>.* loom\\[${pgloom.pid}\\]: \\[\\d+-1\\] main LOG:  pgloom is ready`, 'm'));
    assert.equal(pgloom.stderr(), '');
  });

  it('goes to both when both are named, and facility and ident can be changed by a reload', async (t) => {
    const receiver = await receive(t);
    const pgloom = await launch(t, { ...own, log_destination: 'stderr, syslog' });
    await withClient(pgloom, (client) => client.query("select 'both'"));
    await untilMatch(receiver.text, /both/);
    // Unused for a while the sockets are closed, and opened again for the next line.
    await eventually('no socket is open', () => syslogSockets(pgloom.pid) === 0);
    await untilMatch(pgloom.stderr, /^child LOG: {2}statement: select 'both'$/m);
    pgloom.reload({ log_destination: 'stderr, syslog', syslog_facility: 'LOCAL7', syslog_ident: 'other' });
    await untilMatch(pgloom.stderr, /parameters changed/);
    await withClient(pgloom, (client) => client.query("select 'changed'"));
    await untilMatch(receiver.text, /^<190>.* other\[\d+\]: \[\d+-1\] child LOG: {2}statement: select 'changed'$/m);
    pgloom.reload({ log_destination: 'stderr' });
    await untilMatch(pgloom.stderr, /parameters changed: .*log_destination/);
    await withClient(pgloom, (client) => client.query("select 'stderr only'"));
    await untilMatch(pgloom.stderr, /stderr only/);
    assert.doesNotMatch(receiver.text(), /stderr only/);
  });

  it('finds a receiver again that was started anew, and does not lose what it was not there for', async (t) => {
    const first = await receive(t);
    const pgloom = await launch(t, own);
    await withClient(pgloom, async (client) => {
      await client.query("select 'first'");
      await untilMatch(first.text, /'first'/);
      await first.end();
      await client.query("select 'nobody there'");
      const second = await receive(t);
      await client.query("select 'second'");
      await untilMatch(second.text, /'second'/);
      assert.match(second.text(), /'nobody there'/);
    });
  });

  it('a receiver that does not read stops no session; later it is told how much is missing', async (t) => {
    const receiver = await receive(t);
    const pgloom = await launch(t, own);
    receiver.process.kill('SIGSTOP');
    await withClient(pgloom, async (client) => {
      for (let i = 0; i < 800; i++) await client.query(`select ${i}, '${'z'.repeat(2000)}'`);
      receiver.process.kill('SIGCONT');
      await untilMatch(receiver.text, /WARNING: {2}\d+ entries of the log were lost: they could not be written/);
    });
  });

  it('is split as Debian\'s Pgpool-II splits it', { skip: noPgpool2 }, async (t) => {
    const receiver = await receive(t);
    const sql = `select '${'w'.repeat(890)} ${'some words '.repeat(200)}${'v'.repeat(2500)}'`;
    const settings = { log_destination: 'syslog', log_statement: true, log_per_node_statement: false, log_line_prefix: '%a ' };
    const session = { application_name: 'splitting', host: '127.0.0.1' };
    const texts = async (port: number): Promise<string[]> => {
      const from = receiver.lines().length;
      await withClient({ host: '127.0.0.1', port }, (client) => client.query(sql), session);
      await untilMatch(() => receiver.lines().slice(from).join('\n'), /vvv'$/m);
      const mine = receiver.lines().slice(from).map((line) => line.replace(/^.*?\]: \[\d+-/, '['));
      return mine.slice(mine.findIndex((line) => line.includes('statement: select')), mine.findIndex((line) => line.endsWith("vvv'")) + 1);
    };
    const pgpool2 = await startLoggingPgpool2({ ...settings, log_destination: 'syslog,stderr' });
    t.after(() => pgpool2.stop());
    const theirs = await texts(pgpool2.port);
    assert.ok(theirs.length > 5);
    const pgloom = await launch(t, { ...own, ...settings });
    assert.deepEqual(await texts(pgloom.port), theirs);
  });
});

describe('a syslog datagram', () => {
  const entry = { facility: 128, ident: 'pgpool', level: LogLevel.log, id: 7, timeMs: new Date(2026, 0, 5, 1, 2, 3).getTime() };

  it('has the severity that PostgreSQL gives the level', () => {
    const severities = Object.fromEntries(Object.entries(LogLevel).map(([name, level]) => [name, syslogSeverity(level)]));
    assert.deepEqual(severities, { debug5: 7, debug4: 7, debug3: 7, debug2: 7, debug1: 7, info: 6, notice: 5, warning: 5, error: 4, log: 6, fatal: 3, panic: 2 });
  });

  it('pads the day with a blank and numbers lines and pieces', () => {
    assert.deepEqual(syslogDatagrams(entry, 12, 'a\nb\n'), ['<134>Jan  5 01:02:03 pgpool[7]: [12-1] a', '<134>Jan  5 01:02:03 pgpool[7]: [12-2] b']);
  });

  it('never cuts within a character', () => {
    const texts = syslogDatagrams(entry, 1, `x${'ä'.repeat(1000)}${'😀'.repeat(500)}`).map((text) => text.replace(/^.*?\]: \[\d+-\d+\] /, ''));
    assert.equal(texts.join(''), `x${'ä'.repeat(1000)}${'😀'.repeat(500)}`);
    for (const text of texts) assert.ok(Buffer.byteLength(text) <= 900);
  });

  it('carries JSON whole', () => {
    const json = `${JSON.stringify({ message: 'x'.repeat(5000) })}\n`;
    assert.equal(syslogJson(entry, json), `<134>Jan  5 01:02:03 pgpool[7]: ${json.trimEnd()}`);
  });
});
