/** pgloom with TLS in front of the shared cluster, and raw clients for it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { after } from 'node:test';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { int32, startup } from '../../src/shared/protocol/writer.js';
import { sslRequestCode } from '../../src/shared/protocol/letters.js';
import { makeCertificates, type Certificate, type TestCertificates } from '../support/certificates.js';
import { startPgloom, type Pgloom, type PgloomOptions } from '../support/pgloom.js';

export const sslRequest = Buffer.concat([int32(8), int32(sslRequestCode)]);
export const hello = startup([['user', 'postgres'], ['database', 'test']]);

/** A directory for certificates, removed afterwards. */
export async function withCertificates<T>(use: (certificates: TestCertificates, directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'pgloom-tls-'));
  try {
    return await use(await makeCertificates(directory, 'postgres'), directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function tlsSettings({ server, authority, crl }: TestCertificates): Record<string, string | number | boolean> {
  return { ssl: true, ssl_key: server.key, ssl_cert: server.cert, ssl_ca_cert: authority.cert, ssl_crl_file: crl, backend_sslmode: 'disable' };
}

export interface SharedTls {
  readonly pgloom: Pgloom;
  readonly certificates: TestCertificates;
}

/**
 * One thing for all tests of a file, started when it is first asked for and ended behind the last of them.
 * @param run starts it, shows it to `use` and ends it when that has resolved
 */
export function sharedInFile<T>(run: (use: (thing: T) => Promise<void>) => Promise<void>): () => Promise<T> {
  let started: Promise<T> | null = null;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => { end = resolve; });
  let running: Promise<void> = Promise.resolve();
  after(async () => {
    end();
    await running;
  });
  return () => started ??= new Promise((resolve, reject) => {
    running = run(async (thing) => {
      resolve(thing);
      await ended;
    });
    running.catch(reject);
  });
}

/** One pgloom for all tests of a file. */
export function sharedTlsPgloom(): () => Promise<SharedTls> {
  return sharedInFile((use) => withTlsPgloom((pgloom, certificates) => use({ pgloom, certificates })));
}

/** pgloom that offers TLS, by the usual certificates. */
export function withTlsPgloom<T>(use: (pgloom: Pgloom, certificates: TestCertificates) => Promise<T>, options: PgloomOptions = {}): Promise<T> {
  return withCertificates(async (certificates) => {
    const pgloom = await startPgloom({ ...options, settings: { ...tlsSettings(certificates), ...options.settings } });
    try {
      return await use(pgloom, certificates);
    } finally {
      await pgloom.stop();
    }
  });
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** psql with a connection string of `port=…` and what `target` says. */
export async function psql(port: number, target: string, ...sql: readonly string[]): Promise<Ran> {
  const child = spawn('psql', ['-XAt', '-v', 'ON_ERROR_STOP=1', ...sql.flatMap((text) => ['-c', text]), `host=localhost hostaddr=127.0.0.1 port=${port} user=postgres dbname=test connect_timeout=20 ${target}`], {
    env: { ...process.env, HOME: '/nonexistent', PGSSLCERT: '', PGSSLKEY: '' }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ran = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => { ran.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { ran.stderr += text; });
  const [status] = await once(child, 'close') as [number | null];
  return { status, ...ran };
}

export function sslFiles({ cert, key }: Certificate): string {
  return `sslcert=${cert} sslkey=${key}`;
}

export async function rawClient({ host, port }: Pick<Pgloom, 'host' | 'port'>): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** What the peer sends until `isEnough` says so or it closes. */
export function received(socket: Socket, isEnough: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const end = (): void => {
      socket.removeListener('data', onData).removeListener('close', end);
      resolve(bytes);
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (isEnough(bytes)) end();
    };
    socket.on('data', onData).once('close', end).once('error', reject);
  });
}

/** All that comes before the connection is closed; a reset counts as that. */
export function untilClosed(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk)).once('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** A ReadyForQuery in a state of no transaction ends it. */
export function isReady(bytes: Buffer): boolean {
  return bytes.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]));
}

/** Asks for TLS and does the handshake. */
export async function encryptedClient(pgloom: Pick<Pgloom, 'host' | 'port'>, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = await rawClient(pgloom);
  socket.write(sslRequest);
  const answer = await received(socket, (bytes) => bytes.length > 0);
  if (answer.toString() !== 'S') throw new Error(`answer to SSLRequest: ${answer.toString()}`);
  return handshake(socket, options);
}

/** No request ahead of the handshake. */
export async function directClient(pgloom: Pick<Pgloom, 'host' | 'port'>, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return handshake(await rawClient(pgloom), { ALPNProtocols: ['postgresql'], ...options });
}

/** Over a socket whose bytes can then be meddled with. */
export async function handshake(socket: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  const encrypted = connectTls({ socket, rejectUnauthorized: false, ...options });
  await once(encrypted, 'secureConnect');
  return encrypted;
}

/** Serial number of the certificate that a client is shown now. */
export async function serialShown(pgloom: Pgloom): Promise<string | undefined> {
  const client = await encryptedClient(pgloom);
  const serial = client.getPeerX509Certificate()?.serialNumber;
  client.destroy();
  return serial;
}
