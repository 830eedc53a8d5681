/** The PCP port, packet by packet: what libpcp sends, and what it never would. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '../../src/main/demo/free-port.js';
import { errorPacket } from '../../src/main/pcp/error-packet.js';
import { PacketReader } from '../../src/main/pcp/framing.js';
import { eventually } from '../support/eventually.js';
import { startPgloom, type Pgloom, withClient } from '../support/pgloom.js';
import { errorOf, loginAnswer, pcpConfLine, PcpClient, pcpPacket, strings } from './pcp-client.js';

let pgloom: Pgloom;

before(async () => {
  pgloom = await startPgloom({
    settings: { log_pcp_processes: true, log_line_prefix: '%a|%P|', num_init_children: 8, max_pool: 2, health_check_period: 1, authentication_timeout: 3 },
    pcp: `# comment\n\n:\nno colon\n${pcpConfLine('other', 'else')}postgres:0123456789abcdef0123456789abcdef\n${pcpConfLine()}`,
  });
});
after(() => pgloom?.stop());

const fatal = (message: string, detail: string) => ({ severity: 'FATAL', message, detail });
const error = (message: string, detail?: string) => ({ severity: 'ERROR', message, detail });

/** Everything that comes after these bytes until pgloom closes. */
async function answerTo(bytes: Buffer, loggedIn: boolean): Promise<ReturnType<typeof errorOf>> {
  const client = loggedIn ? await PcpClient.login(pgloom.pcpPort) : await PcpClient.connect(pgloom.pcpPort);
  client.socket.write(bytes);
  return errorOf((await client.readToEnd()).at(-1));
}

test('a packet is found in whatever pieces it comes', () => {
  const bytes = Buffer.concat([pcpPacket('M'), pcpPacket('I', '-1\0'), pcpPacket('L')]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new PacketReader();
    const types: string[] = [];
    for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      reader.push(piece);
      for (let packet = reader.next(); packet !== null; packet = reader.next()) types.push(packet.type + packet.payload.toString());
    }
    assert.deepEqual(types, ['M', 'I-1\0', 'L']);
  }
});

test('an error packet holds nothing that libpcp would take for another field, and no field over 255 bytes', () => {
  const fields = (message: string, detail?: string): string[] => strings(errorPacket({ severity: 'ERROR', message, detail }).subarray(5));
  assert.deepEqual(fields('Some message', 'Down it went'), ['SERROR', 'CXX000', 'Msome message', 'Ddown it went', 'Fpcp', 'L0', '']);
  assert.deepEqual(fields('', ''), ['SERROR', 'CXX000', 'Munknown', 'Fpcp', 'L0', '']);
  assert.deepEqual(fields('a\0b', 'x'.repeat(300)).slice(2, 4), ['Mab', `D${'x'.repeat(254)}`]);
  assert.ok(Buffer.byteLength(fields('ä'.repeat(300))[2] ?? '') <= 255);
});

test('the right password is let in, with any of several lines of its user', async () => {
  const client = await PcpClient.login(pgloom.pcpPort);
  assert.deepEqual(strings((await client.request('L')).payload), ['CommandComplete', '3']);
  client.send('X');
  assert.deepEqual(await client.readToEnd(), []);
});

test('pcp.conf is read anew for each login, and without it nobody gets in', async () => {
  const own = await startPgloom({ settings: { num_init_children: 2 }, pcp: '' });
  try {
    const file = join(own.directory, 'pcp.conf');
    await assert.rejects(PcpClient.login(own.pcpPort), /authentication failed for user "postgres"/);
    writeFileSync(file, pcpConfLine('postgres', 'secret').trimEnd());
    (await PcpClient.login(own.pcpPort)).end();
    writeFileSync(file, `${'u'.repeat(200)}:x\n${pcpConfLine()}`);
    await assert.rejects(PcpClient.login(own.pcpPort), /username read from file .* is larger than maximum allowed username length \[128\]/);
    unlinkSync(file);
    await assert.rejects(PcpClient.login(own.pcpPort), new RegExp(`failed to authenticate PCP user Dcould not open ${file}. reason: No such file`));
  } finally {
    await own.stop();
  }
});

test('a login is refused with a wrong password, an unknown user, an old salt, or none', async () => {
  const client = await PcpClient.connect(pgloom.pcpPort);
  assert.deepEqual(errorOf(await client.tryLogin('postgres', 'wrong')), fatal('authentication failed for user "postgres"', 'username and/or password does not match'));
  assert.deepEqual(await client.readToEnd(), []);
  const none = fatal('authentication failed', 'username and/or password does not match');
  const [unknown, noSalt, second] = await Promise.all([
    PcpClient.connect(pgloom.pcpPort).then((other) => other.tryLogin('stranger', 'secret')),
    answerTo(pcpPacket('R', 'postgres\0abc\0'), false),
    PcpClient.connect(pgloom.pcpPort).then(async (other) => {
      const salt = (await other.request('M')).payload;
      const answer = `postgres\0${loginAnswer('postgres', 'secret', salt)}\0`;
      assert.equal((await other.request('R', answer)).type, 'r');
      return other.request('R', answer);
    }),
  ]);
  assert.equal(errorOf(unknown).message, 'authentication failed for user "stranger"');
  assert.deepEqual(noSalt, none);
  assert.deepEqual(errorOf(second), none);
});

test('the answer to a wrong password is late, and so is the next login from the same address; others are not', async () => {
  const path = join(pgloom.socketDirectory, `.s.PGSQL.${pgloom.pcpPort}`);
  const order: string[] = [];
  const late = await wrongLogin();
  const answered = late.read().then(() => order.push('wrong'));
  const right = PcpClient.login(pgloom.pcpPort).then((client) => { order.push('right'); client.end(); });
  for (let i = 0; i < 5; i++) (await PcpClient.login(path)).end();
  order.push('others');
  await Promise.all([answered, right]);
  assert.deepEqual(order, ['others', 'wrong', 'right']);
});

test('who closes before the answer to a wrong password does not guess faster', async () => {
  const startedMs = performance.now();
  (await wrongLogin()).socket.destroy();
  (await PcpClient.login(pgloom.pcpPort)).end();
  assert.ok(performance.now() - startedMs >= 990);
});

test('of many wrong passwords at once most are refused, and one line is logged for all', async () => {
  const own = await startPgloom({ settings: { num_init_children: 2 }, pcp: pcpConfLine() });
  try {
    const clients = [await wrongLogin(own.pcpPort)];
    await sleepUntilFailed();
    // All that a login takes but the password: those come at once then, before the first is answered.
    const ready = await Promise.all(Array.from({ length: 60 }, () => beforePassword(own.pcpPort)));
    for (const { client, answer } of ready) {
      client.send('R', answer);
      clients.push(client);
    }
    // 32 wait, the others need not.
    let refused = 0;
    for (const { client } of ready) {
      void client.readToEnd().then((messages) => {
        if (errorOf(messages.at(-1)).detail === 'too many logins from this address are waiting') refused += 1;
      }, () => undefined);
    }
    await eventually('most are refused', () => refused >= 20);
    for (const { socket } of clients) socket.destroy();
    await eventually('they are counted', () => /\d+ more failed logins to PCP from 127\.0\.0\.1/.test(own.stderr()));
    assert.ok((own.stderr().match(/FATAL: {2}authentication failed/g) ?? []).length <= 2);
  } finally {
    await own.stop();
  }

  /** The first answer is late, but its failure is known by the time another request is answered. */
  async function sleepUntilFailed(): Promise<void> {
    for (let i = 0; i < 3; i++) (await PcpClient.login(join(own.socketDirectory, `.s.PGSQL.${own.pcpPort}`))).end();
  }
});

/** A client that has sent a wrong password and whose answer is to come. */
async function wrongLogin(port = pgloom.pcpPort): Promise<PcpClient> {
  const { client, answer } = await beforePassword(port);
  client.send('R', answer);
  return client;
}

/** A client that has its salt, and the wrong answer to it. */
async function beforePassword(port: number): Promise<{ readonly client: PcpClient; readonly answer: string }> {
  const client = await PcpClient.connect(port);
  const salt = await client.request('M');
  return { client, answer: `postgres\0${loginAnswer('postgres', 'wrong', salt.payload)}\0` };
}

test('a pcp.conf that is a pipe lets nobody in and blocks nobody', async () => {
  const own = await startPgloom({ settings: { num_init_children: 2 }, pcp: '' });
  const file = join(own.directory, 'pcp.conf');
  const path = join(own.socketDirectory, `.s.PGSQL.${own.pcpPort}`);
  try {
    unlinkSync(file);
    execFileSync('mkfifo', [file]);
    // More than the threads that Node has for files.
    const logins = await Promise.allSettled(Array.from({ length: 6 }, () => PcpClient.login(path)));
    for (const login of logins) assert.match(String(login.status === 'rejected' && login.reason), /could not open .*pcp\.conf\. reason: not a plain file/);
    unlinkSync(file);
    writeFileSync(file, pcpConfLine());
    (await PcpClient.login(path)).end();
  } finally {
    await own.stop();
  }
});

test('an order without a number is for no node, above all not for node 0', async () => {
  const client = await PcpClient.login(pgloom.pcpPort);
  for (const payload of ['', '\0', 'abc\0', '0x\0', '-0\0', ' \0n']) {
    for (const type of ['C', 'D', 'd', 'J', 'j', 'O']) {
      const { severity, message, detail } = errorOf(await client.request(type, payload));
      assert.equal(severity, 'ERROR');
      assert.match(`${message} ${detail}`, /node id:? -1 is (out of range|not valid)/);
    }
  }
  const nodes = await client.rows('I', '-1\0');
  assert.deepEqual(nodes.slice(1, 4).map(({ payload }) => strings(payload)[3]), ['2', '2', '2']);
  client.end();
});

test('before the login no command is obeyed, and garbage is answered with FATAL and the end', async () => {
  const malformed = (length: number): Buffer => {
    const bytes = Buffer.alloc(5);
    bytes.write('L');
    bytes.writeInt32BE(length, 1);
    return bytes;
  };
  for (const letter of ['L', 'X', 'T', '?']) {
    assert.deepEqual(await answerTo(pcpPacket(letter), false), fatal('authentication failed for new PCP connection', 'connection not authorized'));
  }
  for (const length of [0, -1, 3, 260, 2 ** 31 - 1, -(2 ** 31)]) {
    for (const loggedIn of [false, true]) {
      assert.deepEqual(await answerTo(malformed(length), loggedIn), fatal('invalid PCP packet', `incorrect packet length (${length})`));
    }
  }
  assert.deepEqual(await answerTo(pcpPacket('?'), true), fatal('PCP processing request', 'unknown PCP packet type "?"'));
  assert.deepEqual(await answerTo(Buffer.from('GET / HTTP/1.1\r\n\r\n'), false), fatal('invalid PCP packet', 'incorrect packet length (1163141167)'));
  assert.deepEqual(await answerTo(Buffer.concat([pcpPacket('M'), pcpPacket('R', 'no end of the name')]), false), fatal('failed to authenticate PCP user', 'error while reading authentication packet'));
});

test('the answer to garbage arrives though much more is sent behind it', async () => {
  const client = await PcpClient.connect(pgloom.pcpPort);
  client.socket.write(Buffer.alloc(1_000_000, 0xff));
  assert.deepEqual(errorOf((await client.readToEnd()).at(-1)), fatal('invalid PCP packet', 'incorrect packet length (-1)'));
});

test('an ERROR leaves the connection usable, and requests sent ahead are answered in their order', async () => {
  const client = await PcpClient.login(pgloom.pcpPort);
  client.socket.write(Buffer.concat([pcpPacket('I', '9\0'), pcpPacket('F'), pcpPacket('L'), pcpPacket('H', '99\0'), pcpPacket('P', 'x9\0'), pcpPacket('L')]));
  assert.deepEqual(errorOf(await client.read()), error('informing node info failed', 'invalid node ID : 9'));
  assert.equal((await client.read()).type, 'l');
  assert.deepEqual(errorOf(await client.read()), error('informing health check stats info failed', 'invalid node ID 99'));
  assert.equal((await client.read()).type, 'p');
  client.end();
});

test('each command answers with the packets of its letter', async () => {
  const client = await PcpClient.login(pgloom.pcpPort);
  const words = async (type: string, payload = ''): Promise<string[]> => (await client.rows(type, payload)).map((message) => `${message.type} ${message.payload.toString('latin1').split('\0')[0]}`);
  assert.deepEqual(await words('I', '-1\0'), ['i ArraySize', 'i NodeInfo', 'i NodeInfo', 'i NodeInfo', 'i CommandComplete']);
  assert.deepEqual(await words('I', 'abc\0'), ['i ArraySize', 'i NodeInfo', 'i CommandComplete']);
  const status = await client.rows('B');
  assert.equal(status[0]?.payload.length, 14);
  assert.equal(status[0]?.payload.readInt32BE(10), status.length - 2);
  assert.ok(status.slice(1, -1).every(({ payload }) => strings(payload).length === 4));
  const processes = await client.rows('P', '0\0');
  assert.equal(Number(strings(processes[0]?.payload ?? Buffer.alloc(0))[1]), processes.length - 2);
  assert.equal(processes.length - 2, 8 * 2 * 3);
  assert.ok(processes.slice(1, -1).every(({ payload }) => strings(payload).length === 22));
  assert.equal(strings((await client.request('H', '1\0')).payload).length, 21);
  assert.deepEqual(await words('Z', 'l'), ['z CommandComplete']);
  assert.deepEqual(await words('V', 'l'), ['v CommandComplete']);
  assert.deepEqual(await words('A', 'Client_Min_Messages\0LOG\0'), ['a CommandComplete']);
  assert.deepEqual(await words('C', '0\0'), ['c CommandComplete']);
  for (const [type, payload, expected] of [
    ['A', 'x\0y\0', error('PCP: set configuration parameter failed', 'invalid parameter "x"')],
    ['A', 'client_min_messages\0y\0', error('PCP: set configuration parameter failed', 'invalid value "y" for parameter "client_min_messages"')],
    ['A', '', error('PCP: set configuration parameter failed', 'invalid pcp packet received from client')],
    ['G', '', error('query cache is not enabled')],
    ['W', '-1\0', error('PCP: informing watchdog info failed', 'watchdog is not enabled')],
    ['O', '0\0', error('process recovery request failed', 'primary server cannot be recovered by online recovery.')],
    ['O', '7\0', error('process recovery request failed', 'node id 7 is not valid')],
    ['T', 'x', error('PCP: error while processing shutdown request', 'invalid shutdown mode "x"')],
    ['t', '', error('PCP: error while processing shutdown request', 'invalid shutdown mode ""')],
    ['J', '9 \0n', error('could not process promote request', 'node id 9 is not valid')],
  ] as const) assert.deepEqual(errorOf(await client.request(type, payload)), expected, type);
  assert.deepEqual(errorOf(await client.request('J', '0 \0n')), fatal('invalid promote request', "specified node is already primary node, can't promote node id 0"));
  assert.deepEqual(await client.readToEnd(), []);
});

test('node info has 12 fields for clients up to 4.3 and 13 from 4.4 on, as pcp_client_version says', async () => {
  const fields = async (port: number): Promise<string[]> => {
    const client = await PcpClient.login(port);
    const row = strings((await client.rows('I', '1\0'))[1]?.payload ?? Buffer.alloc(0));
    client.end();
    return row;
  };
  const old = await fields(pgloom.pcpPort);
  assert.equal(old.length, 13);
  assert.deepEqual([old[0], old[3], old[4], old[5], old[7], old[8], old[9], old[10], old[11]], ['NodeInfo', '2', '0', 'up', '3', 'standby', '0', 'streaming', 'async']);
  assert.ok(Number(old[12]) > 1_600_000_000);
  const newer = await startPgloom({ settings: { pcp_client_version: '4.4', num_init_children: 2 }, pcp: pcpConfLine() });
  try {
    await eventually('the replication state is known', async () => (await fields(newer.pcpPort))[11] === 'streaming');
    const row = await fields(newer.pcpPort);
    assert.equal(row.length, 14);
    assert.deepEqual([row[9], row[12]], ['0', 'async']);
    // Bytes or seconds: other tests write meanwhile.
    assert.match(row[10] ?? '', /^\d+(\.\d+)?$/);
  } finally {
    await newer.stop();
  }
});

test('a client that says nothing is disconnected after authentication_timeout, one that has logged in is not', async () => {
  const [silent, half, member] = await Promise.all([PcpClient.connect(pgloom.pcpPort), PcpClient.connect(pgloom.pcpPort), PcpClient.login(pgloom.pcpPort)]);
  half.socket.write('M');
  const timeout = fatal('authentication timeout', 'no login within 3 s');
  assert.deepEqual((await Promise.all([silent.readToEnd(), half.readToEnd()])).map(([last]) => errorOf(last)), [timeout, timeout]);
  assert.equal((await member.request('L')).type, 'l');
  member.end();
});

test('the begin and the end of each client are logged as Pgpool-II logs them', async () => {
  const before = pgloom.stderr().length;
  (await PcpClient.login(pgloom.pcpPort)).end();
  await answerTo(pcpPacket('?'), true);
  const written = (): string[] => pgloom.stderr().slice(before).split('\n');
  // Clients of earlier tests may still be leaving.
  const ids = (): (string | undefined)[] => written().flatMap((line) => /forked new pcp worker, pid=(\d+)/.exec(line)?.[1] ?? []);
  const ofThese = (): string[] => written().filter((line) => line.startsWith('pcp_') && (!/pid[:=]/.test(line) || ids().includes(/pid(?:: |=)(\d+)/.exec(line)?.[1])));
  await eventually('both clients are over', () => ofThese().filter((line) => /exits with status/.test(line)).length === 2);
  assert.deepEqual(ofThese().flatMap((line) => /status (\d+)/.exec(line)?.[1] ?? []), ['0', '256']);
  const lines = ofThese().map((line) => line.replaceAll(/\d+/g, 'N'));
  const begin = 'pcp_main|pcp_main|LOG:  forked new pcp worker, pid=N socket=N';
  const end = 'pcp_main|pcp_main|LOG:  PCP process with pid: N exit with SUCCESS.';
  const status = 'pcp_main|pcp_main|LOG:  PCP process with pid: N exits with status N';
  assert.deepEqual(lines.toSorted(), [
    'pcp_child|pcp_child|DETAIL:  unknown PCP packet type "?"', 'pcp_child|pcp_child|FATAL:  PCP processing request', begin, begin, end, end, status, status,
  ].toSorted());
});

test('the Unix socket is there for everybody, and works', async () => {
  const path = join(pgloom.socketDirectory, `.s.PGSQL.${pgloom.pcpPort}`);
  assert.equal(statSync(path).mode & 0o777, 0o777);
  const client = await PcpClient.login(path);
  assert.equal((await client.request('L')).type, 'l');
  client.end();
});

test('a PCP port that is taken stops the start, as a client port does', async () => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  try {
    await assert.rejects(startPgloom({ settings: { pcp_port: port, port: await freePort() } }), /could not listen on address "127\.0\.0\.1": port \d+ is already in use/);
  } finally {
    taken.close();
  }
});

test('a detached node serves nobody, an attached one does again', async () => {
  const client = await PcpClient.login(pgloom.pcpPort);
  const status = async (): Promise<string | undefined> => strings((await client.rows('I', '2\0'))[1]?.payload ?? Buffer.alloc(0))[3];
  assert.equal((await client.request('D', '2\0')).type, 'd');
  await eventually('the node is down', async () => (await status()) === '3');
  await withClient(pgloom, (session) => session.query('select 1'));
  assert.equal((await client.request('C', '2\0')).type, 'c');
  await eventually('the node is up', async () => (await status()) === '2');
  client.end();
});

test('T ends pgloom after its answer; a smart stop waits for sessions and can be hurried over PCP', async () => {
  const own = await startPgloom({ settings: { num_init_children: 2 }, pcp: pcpConfLine() });
  try {
    await withClient(own, async (session) => {
      session.on('error', () => undefined);
      const client = await PcpClient.login(own.pcpPort);
      assert.equal((await client.request('T', 's')).type, 't');
      await assert.rejects(withClient(own, (late) => late.query('select 1')));
      assert.deepEqual((await session.query('select 1 as one')).rows, [{ one: 1 }]);
      const hurry = await PcpClient.login(own.pcpPort);
      assert.equal((await hurry.request('T', 'f')).type, 't');
      assert.equal(await own.exited, 0);
      assert.deepEqual(await client.readToEnd(), []);
    });
  } finally {
    await own.stop();
  }
});
