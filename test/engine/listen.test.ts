/** Listeners, through the command. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../src/main/demo/free-port.js';
import { eventually, untilMatch } from '../support/eventually.js';
import { startPgloom, withClient } from '../support/pgloom.js';
import { WireClient } from '../support/wire.js';
import { pgpool, withDirectory, writeConfig } from './pgpool-command.js';

async function listenOn(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  server.listen(where);
  await once(server, 'listening');
}

/** Leaves a socket file behind that nobody listens on: its process is killed. */
async function leaveSocketFile(path: string): Promise<void> {
  const child = spawn(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)})`], { stdio: 'ignore' });
  await eventually('the socket file is there', () => existsSync(path));
  child.kill('SIGKILL');
  await once(child, 'close');
}

test('clients are served over TCP and over the Unix socket, and the socket file goes with pgloom', async () => {
  const pgloom = await startPgloom({ settings: { listen_addresses: 'localhost', unix_socket_permissions: '0700' } });
  const path = join(pgloom.socketDirectory, `.s.PGSQL.${pgloom.port}`);
  try {
    assert.equal(statSync(path).mode & 0o777, 0o700);
    await withClient(pgloom, async (client) => {
      assert.deepEqual((await client.query('select 1 as one')).rows, [{ one: 1 }]);
    });
    const overFile = await WireClient.login(path);
    overFile.end();
    pgloom.signal('SIGINT');
    assert.equal(await pgloom.exited, 0);
    assert.equal(existsSync(path), false);
  } finally {
    await pgloom.stop();
  }
});

test('listen_addresses * listens on IPv4, and on IPv6 where the machine has it', async () => {
  const pgloom = await startPgloom({ settings: { listen_addresses: '*' } });
  try {
    await withClient(pgloom, (client) => client.query('select 1'));
    await untilMatch(pgloom.stderr, new RegExp(`listening on 0\\.0\\.0\\.0:${pgloom.port}`));
  } finally {
    await pgloom.stop();
  }
});

test('a socket file that nobody listens on is taken over', async () => {
  await withDirectory(async (directory) => {
    const port = await freePort();
    const path = join(directory, `.s.PGSQL.${port}`);
    await leaveSocketFile(path);
    const pgloom = await startPgloom({ settings: { port, unix_socket_directories: directory } });
    try {
      (await WireClient.login(path)).end();
    } finally {
      await pgloom.stop();
    }
  });
});

test('a socket file that somebody listens on is left alone and named', async () => {
  await withDirectory(async (directory) => {
    const port = await freePort();
    const path = join(directory, `.s.PGSQL.${port}`);
    const other = createServer();
    await listenOn(other, { path });
    try {
      const { status, stderr } = await pgpool('-n', '-f', await writeConfig(directory, { port }));
      assert.equal(status, 1);
      assert.match(stderr, /FATAL: could not make Unix socket ".*": another server listens on it/);
      assert.ok(stderr.includes(path));
      assert.ok(existsSync(path));
      assert.equal(existsSync(join(directory, 'pgpool.pid')), false);
    } finally {
      other.close();
    }
  });
});

test('a file in the place of the socket that is no socket is left alone', async () => {
  await withDirectory(async (directory) => {
    const port = await freePort();
    await writeFile(join(directory, `.s.PGSQL.${port}`), 'precious');
    const { status, stderr } = await pgpool('-n', '-f', await writeConfig(directory, { port }));
    assert.equal(status, 1);
    assert.match(stderr, /the file exists and is not a socket/);
  });
});

test('a port in use is an error that names the port', async () => {
  await withDirectory(async (directory) => {
    const other = createServer();
    await listenOn(other, { host: '127.0.0.1', port: 0 });
    try {
      const address = other.address();
      assert.ok(typeof address === 'object' && address !== null);
      const { status, stderr } = await pgpool('-n', '-f', await writeConfig(directory, { port: address.port }));
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`FATAL: could not listen on address "127\\.0\\.0\\.1": port ${address.port} is already in use`));
    } finally {
      other.close();
    }
  });
});
