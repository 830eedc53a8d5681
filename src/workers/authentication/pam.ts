/**
 * The method pam of pool_hba.conf. The modules run in processes of their own, see pam-process.ts: at most
 * `maxProcesses` for each worker thread, started when logins come and ended when none come any more.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PamQuestion, PamResult } from './pam-library.js';

export type { PamResult } from './pam-library.js';

const program = fileURLToPath(new URL('./pam-process.js', import.meta.url));
/** Each takes 40 MB while it is there. */
const maxProcesses = 4;
const maxWaiting = 1000;
/** A process that nobody needs for so long ends. */
const idleMs = 10_000;
const defaultLimitMs = 60_000;
/** Nothing of pgloom's own environment: it may hold secrets, and modules hand theirs to scripts. */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

interface Login {
  readonly question: PamQuestion;
  readonly answer: (result: PamResult) => void;
  /** Where it is under way; null while it waits. */
  at: PamProcess | null;
  timer: NodeJS.Timeout;
}

const waiting: Login[] = [];
const processes = new Set<PamProcess>();

/**
 * Never rejects. Empty passwords are refused without asking, like PostgreSQL.
 * @param service a file in /etc/pam.d
 * @param host the client's name or address for the modules (PAM_RHOST); '' for a Unix socket
 * @param limitMs a process that takes longer is ended
 */
export function pamLogin(service: string, user: string, password: string, host: string, limitMs = defaultLimitMs): Promise<PamResult> {
  const problem = problemOf(service, user, password, host);
  if (problem !== null) return Promise.resolve({ ok: false, reason: problem });
  if (waiting.length >= maxWaiting) return Promise.resolve({ ok: false, reason: 'too many logins wait for PAM' });
  return new Promise((resolve) => {
    const login: Login = { question: { service, user, password, host }, answer: resolve, at: null, timer: setTimeout(() => tooLate(login, limitMs), limitMs) };
    waiting.push(login);
    serve();
  });
}

function problemOf(service: string, user: string, password: string, host: string): string | null {
  if (password === '') return 'empty password';
  if (user === '' || [user, password, host].some(text => text.includes('\0'))) return 'invalid character in user name or password';
  // Linux-PAM takes the part behind the last slash; this is nobody's intention.
  return /^[\w.-]+$/.test(service) ? null : 'pamservice is no name of a service';
}

/** Gives waiting logins to processes, new ones if need be. */
function serve(): void {
  while (waiting.length > 0) {
    const free = [...processes].find(process => process.login === null) ?? (processes.size < maxProcesses ? new PamProcess() : undefined);
    const login = free === undefined ? undefined : waiting.shift();
    if (free === undefined || login === undefined) return;
    free.ask(login);
  }
}

function tooLate(login: Login, limitMs: number): void {
  const at = waiting.indexOf(login);
  if (at >= 0) waiting.splice(at, 1);
  login.answer({ ok: false, reason: `PAM did not answer within ${limitMs} ms` });
  login.at?.end();
}

class PamProcess {
  login: Login | null = null;
  private readonly child: ChildProcess;
  private readonly channel: Socket;
  private idle: NodeJS.Timeout | null = null;
  private hasEnded = false;

  constructor() {
    processes.add(this);
    // Detached: a Ctrl-C in the terminal must not end logins under way, and what a module forks can be ended with it.
    this.child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env: environment, cwd: '/', detached: true });
    this.channel = this.child.stdio[3] as Socket;
    this.child.once('error', error => this.ended(`the PAM process could not be started: ${error.message}`));
    this.child.once('exit', (code, signal) => this.ended(`the PAM process ended (${signal ?? `exit code ${code}`})`));
    this.channel.on('error', () => this.end());
    createInterface({ input: this.channel }).on('line', line => this.answered(line));
    this.keepAlive(false);
  }

  ask(login: Login): void {
    this.login = login;
    login.at = this;
    if (this.idle !== null) clearTimeout(this.idle);
    this.keepAlive(true);
    this.channel.write(`${JSON.stringify(login.question)}\n`);
  }

  /** Whatever it is doing. */
  end(): void {
    try {
      if (this.child.pid !== undefined && !this.hasEnded) process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    this.ended('the PAM process was ended');
  }

  /** No login comes to it any more; it ends by itself. */
  private retire(): void {
    processes.delete(this);
    this.channel.end();
  }

  private answered(line: string): void {
    this.settle(resultOf(line));
    if (this.hasEnded) return;
    this.keepAlive(false);
    this.idle = setTimeout(() => this.retire(), idleMs).unref();
    serve();
  }

  private ended(reason: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    processes.delete(this);
    if (this.idle !== null) clearTimeout(this.idle);
    this.settle({ ok: false, reason });
    serve();
  }

  private settle(result: PamResult): void {
    const { login } = this;
    this.login = null;
    if (login === null) return;
    clearTimeout(login.timer);
    login.answer(result);
  }

  /** An idle process must not keep its thread from ending. */
  private keepAlive(isBusy: boolean): void {
    for (const handle of [this.child, this.channel]) {
      if (isBusy) handle.ref();
      else handle.unref();
    }
  }
}

/** Only `true` is a yes. */
function resultOf(line: string): PamResult {
  try {
    const { ok, reason } = JSON.parse(line) as { ok?: unknown; reason?: unknown };
    return ok === true ? { ok } : { ok: false, reason: String(reason).slice(0, 300) };
  } catch {
    return { ok: false, reason: 'the PAM process wrote what is no answer' };
  }
}
