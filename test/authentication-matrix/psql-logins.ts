/**
 * Many logins with psql. A process for each would cost ten times the login: one goes through a list of them with
 * \connect and says after each who it is. It must think that it talks to a person, or a login that fails ends it: so it
 * runs on a terminal, which util-linux's script makes.
 */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';

export interface Login {
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Without one psql gives up when it is asked: libpq takes an empty one for none. */
  readonly password?: string;
  readonly tls: boolean;
  /** PEM files, shown to a server that asks for a certificate. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

export interface Outcome {
  /** Who the server says we are, or null when we were not let in. */
  readonly user: string | null;
  /** What psql had to say, without the address; '' for a login. */
  readonly message: string;
}

/** Why it cannot run, or false. */
export const noPsql: string | false = ['psql', 'script'].every((program) => spawnSync(program, ['--version']).status === 0) ? false : 'psql or script is not installed';

/** Where psql waits between logins: somewhere that trusts it. */
export type Home = Pick<Login, 'port' | 'user' | 'database'>;

const answerLimitMs = 30_000;
const connectLimitSeconds = 10;

/** One after the other; no two of them overlap. */
export async function psqlLogins(home: Home, logins: readonly Login[]): Promise<Outcome[]> {
  const homeUri = uri({ ...home, tls: false });
  const terminal = new Terminal(homeUri);
  try {
    await terminal.ask('');
    const outcomes: Outcome[] = [];
    for (const login of logins) {
      outcomes.push(outcomeOf(login, await terminal.ask(`\\connect ${uri(login)}\nselect current_user as who \\gset\n\\echo :PORT/:DBNAME :who\n`)));
      await terminal.ask(`\\connect ${homeUri}\n`);
    }
    return outcomes;
  } finally {
    await terminal.end();
  }
}

function outcomeOf(login: Login, text: string): Outcome {
  const lines = text.split('\n');
  const [place, user = ''] = lines.at(-1)?.split(' ') ?? [];
  // After a failure psql is still at home.
  if (place === `${login.port}/${login.database}`) return { user, message: '' };
  const message = lines.slice(0, -1).filter((line) => line !== 'Previous connection kept' && line !== '').join('\n');
  return { user: null, message: message.replaceAll(/^connection to server at .*? failed: /gm, '') };
}

function uri(login: Login): string {
  const parameters: Record<string, string> = {
    sslmode: login.tls ? 'require' : 'disable', gssencmode: 'disable', connect_timeout: String(connectLimitSeconds),
    ...login.password === undefined ? {} : { password: login.password },
    ...login.certificate === undefined ? {} : { sslcert: login.certificate.cert, sslkey: login.certificate.key },
  };
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `postgresql://${encodeURIComponent(login.user)}@127.0.0.1:${login.port}/${encodeURIComponent(login.database)}?${query}`;
}

/** psql with no prompt and no echo. */
class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  #text = '';
  #asked = 0;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(homeUri: string) {
    const command = `stty -echo -onlcr; exec psql -X -q -A -t -w -n -v PROMPT1= -v PROMPT2= '${homeUri}'`;
    this.#child = spawn('script', ['-qefc', command, '/dev/null'], {
      // Nothing of ours (PGPASSWORD, PGSSLMODE, ~/.pgpass, ~/.postgresql) may change what it does.
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', HOME: '/nonexistent', PGPASSFILE: '/nonexistent', SHELL: '/bin/sh', TERM: 'dumb' },
    });
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => { this.#text += chunk; this.#wake?.(); });
    this.#ended = new Promise((resolve) => {
      const over = (): void => { this.#isOver = true; this.#wake?.(); resolve(); };
      this.#child.once('error', over);
      this.#child.once('close', over);
    });
  }

  /** What psql has written in answer to these lines, without the last line's end. */
  async ask(lines: string): Promise<string> {
    const mark = `@@${++this.#asked}\n`;
    this.#text = '';
    // An empty line first, so that the mark stands on a line of its own.
    this.#child.stdin.write(`${lines}\\echo '' \n\\echo '@@${this.#asked}'\n`);
    const deadlineMs = Date.now() + answerLimitMs;
    while (!this.#text.endsWith(mark)) {
      const leftMs = deadlineMs - Date.now();
      if (this.#isOver || leftMs <= 0) throw new Error(`psql ${this.#isOver ? 'ended' : 'does not answer'} at ${JSON.stringify(lines)}: ${this.#text}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => { clearTimeout(timer); resolve(); };
      });
    }
    return this.#text.slice(0, -mark.length).trimEnd();
  }

  async end(): Promise<void> {
    this.#child.stdin.write('\\q\n');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), answerLimitMs);
    await this.#ended;
    clearTimeout(timer);
  }
}
