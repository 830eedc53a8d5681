import { parseArgs } from 'node:util';
import { keyKinds, type KeyKind } from './certificate.js';

/** What the command line asks for; times in seconds. */
export interface BenchOptions {
  readonly workloads: readonly string[];
  readonly targets: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly scale: number;
  readonly jsonFile: string | null;
  /** worker_threads of each pgloom variant; more than one measures them side by side. */
  readonly threads: readonly number[];
  readonly balanced: boolean;
  /** Own server instead of the embedded cluster. */
  readonly server: { readonly host: string; readonly port: number } | null;
  readonly user: string;
  /** The private key of the certificate that TLS workloads use. */
  readonly keyKind: KeyKind;
}

/** The help text, one flag a line. */
export const USAGE = `npm run bench -- [flags]
  --workloads a,b   only these (simple extended prepared single many connect tpcb big silent idle
                    tls-simple tls-prepared tls-connect tls-big scram-connect)
  --targets a,b     only these (direct pgbouncer pgpool2 pgloom)
  --rounds N        rounds, each measures every target once (3)
  --seconds N       length of one pgbench run (4)
  --scale N         pgbench scale factor (10)
  --threads N[,M]   worker_threads of pgloom; several are measured side by side (0 = one per CPU)
  --balanced        three nodes, load_balance_mode = on, pgloom and pgpool2 only
  --server H:P      use this server (trust, may create database bench) instead of an embedded cluster
  --key rsa|ec      key of the certificate for the tls workloads: RSA 2048 (rsa) or P-256
  --user NAME       user on the server (postgres)
  --json FILE       write everything measured to FILE as JSON
`;

function list(text: string | undefined): string[] {
  return (text ?? '').split(',').map((word) => word.trim()).filter((word) => word !== '');
}

function wholeNumber(name: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} must be a whole number, ${least} or more`);
  return value;
}

function parseKeyKind(text: string | undefined): KeyKind {
  const kind = keyKinds.find((each) => each === (text ?? 'rsa'));
  if (kind === undefined) throw new Error(`--key must be one of ${keyKinds.join(', ')}`);
  return kind;
}

function parseServer(text: string | undefined): BenchOptions['server'] {
  if (text === undefined) return null;
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port)) throw new Error('--server must be host:port');
  return { host: text.slice(0, colon), port };
}

/**
 * Parses the bench's command line.
 * @throws Error naming the flag that is unknown or has a bad value.
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workloads: { type: 'string' }, targets: { type: 'string' }, rounds: { type: 'string' },
      seconds: { type: 'string' }, scale: { type: 'string' }, threads: { type: 'string' },
      balanced: { type: 'boolean' }, server: { type: 'string' }, user: { type: 'string' },
      json: { type: 'string' }, key: { type: 'string' },
    },
  });
  const threads = list(values.threads).map((word) => wholeNumber('threads', word, 0, 0));
  return {
    workloads: list(values.workloads),
    targets: list(values.targets),
    rounds: wholeNumber('rounds', values.rounds, 3, 1),
    seconds: wholeNumber('seconds', values.seconds, 4, 1),
    scale: wholeNumber('scale', values.scale, 10, 1),
    jsonFile: values.json ?? null,
    threads: threads.length === 0 ? [0] : threads,
    balanced: values.balanced ?? false,
    server: parseServer(values.server),
    user: values.user ?? 'postgres',
    keyKind: parseKeyKind(values.key),
  };
}
