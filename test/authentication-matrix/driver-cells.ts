/** A good part of the cells with the drivers `pg` and JDBC, which say SQLSTATEs where psql does not. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { programs, succeeds } from '../drivers/foreign-program.js';
import { setUpOf, userOf, type Subject } from './axes.js';
import { cell, isLetIn, loginOf, type Given } from './psql-cells.js';
import type { Login } from './psql-logins.js';
import type { Proxies, Stage } from './stage.js';
import { verdictOf } from './table.js';

/** A user's name, or why not. */
type Answer = { readonly user: string } | { readonly sqlstate: string; readonly message: string };
type LogIn = (logins: readonly Login[]) => Promise<Answer[]>;

const sequence: readonly Given[] = ['right', 'wrong'];
const lanes = 8;
const driverFile = '/usr/share/java/postgresql.jar';
const programLimitMs = 90_000;

/** Why JDBC cannot run, or false. */
export const noJdbc: string | false = !existsSync(driverFile) ? 'libpostgresql-jdbc-java is not installed'
  : succeeds('javac', ['-version']) && succeeds('java', ['-version']) ? false : 'default-jdk-headless is not installed';

/** @returns what is not as the table has it */
export async function tryWithDriver(logIn: LogIn, stage: Stage, proxies: Proxies<{ readonly port: number }>, subjects: readonly Subject[]): Promise<string[]> {
  const trials = sequence.flatMap((given) => subjects.map((subject) => ({ subject, given })));
  const answers = await logIn(trials.map(({ subject, given }) => loginOf(stage, proxies[setUpOf(subject.client)].port, subject, given)));
  return trials.flatMap(({ subject, given }, i) => {
    const answer = answers[i] ?? { sqlstate: '', message: 'no answer' };
    const name = `${cell(subject)}, ${given} password`;
    if ('user' in answer) return isLetIn(verdictOf('pgloom', subject), given) && answer.user === userOf(subject.server, subject.stored) ? [] : [`${name}: let in as ${answer.user}`];
    if (isLetIn(verdictOf('pgloom', subject), given)) return [`${name}: ${answer.sqlstate} ${answer.message}`];
    const expected = subject.client === 'reject' ? '28000' : '28P01';
    // The right password proves who the client is; what the server lacks then has other states.
    return given === 'wrong' && subject.client !== 'trust' && answer.sqlstate !== expected ? [`${name}: ${answer.sqlstate} in place of ${expected}: ${answer.message}`] : [];
  });
}

/** With `pg`, some at the same time. */
export async function pgLogins(logins: readonly Login[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  const waiting = [...logins.entries()];
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) answers[next[0]] = await pgLogin(next[1]);
  }));
  return answers;
}

async function pgLogin({ port, user, database, password, tls }: Login): Promise<Answer> {
  const client = new Client({ host: '127.0.0.1', port, user, database, password, ssl: tls ? { rejectUnauthorized: false } : false, connectionTimeoutMillis: 20_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ current_user: string }>('select current_user');
    return { user: rows[0]?.current_user ?? '' };
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string };
    return { sqlstate: code, message };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** With JDBC, all in one Java machine. */
export async function jdbcLogins(logins: readonly Login[]): Promise<Answer[]> {
  const classes = mkdtempSync(join(tmpdir(), 'pgloom-logins-'));
  // A short run on a shared machine: what the second compiler and the collector's threads cost they do not bring in.
  const frugal = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  try {
    const source = programs('../../authentication-matrix/Logins.java');
    const { status, stderr } = spawnSync('javac', [...frugal.map((flag) => `-J${flag}`), '-d', classes, '-cp', driverFile, source], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const input = logins.map(({ port, database, user, tls, password }) => `${[port, database, user, tls, password ?? '-'].join('\t')}\n`).join('');
    const lines = (await runJava([...frugal, '-cp', `${driverFile}:${classes}`, 'Logins', String(lanes)], input)).trimEnd().split('\n');
    return lines.map((line) => {
      const [, sqlstate, message = ''] = /^! (\S+) (.*)$/.exec(line) ?? [];
      return sqlstate === undefined ? { user: line } : { sqlstate, message };
    });
  } finally {
    rmSync(classes, { recursive: true, force: true });
  }
}

function runJava(args: readonly string[], input: string): Promise<string> {
  const child = spawn('java', args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: programLimitMs, killSignal: 'SIGKILL' });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk; });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { error += chunk; });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => (status === 0 ? resolve(out) : reject(new Error(`java ended with status ${status}: ${error}`))));
  });
}
