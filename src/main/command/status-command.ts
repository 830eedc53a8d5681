/** `pgpool status`: what runs, from the pid file, the run record and pgpool_status. */
import { statSync } from 'node:fs';
import { readStatusFile, statusFileOf, type StoredStatus } from '../cluster/status-file.js';
import { isPidFileOwned, readPidFile } from '../pid-file.js';
import { readRunRecord, type RunRecord } from '../run-record.js';
import type { CommandLine } from './options.js';
import { pidFileName } from './pid-file-name.js';

/** "Not running" of the Linux Standard Base, which service managers and monitors know. */
const notRunning = 3;

/** @returns the exit status: 0 when pgpool runs, 3 when it does not. @throws PidFileError when nobody can tell */
export function statusCommand(line: CommandLine): number {
  const { file, warning } = pidFileName(line.configFile);
  if (warning !== null) process.stderr.write(`WARNING:  ${warning}\n`);
  const pid = readPidFile(file);
  if (pid === null || !isPidFileOwned(file, pid)) {
    process.stdout.write(pid === null ? `pgpool does not run (no pid file "${file}")\n` : `pgpool does not run (process ${pid} of "${file}" has ended)\n`);
    return notRunning;
  }
  const record = readRunRecord(file, pid);
  process.stdout.write(record === null
    ? `pgpool runs\n  pid        ${pid}\n  it is still starting, or it is not pgloom: there is no record of it beside "${file}"\n`
    : describe(record, file));
  return 0;
}

function describe(record: RunRecord, pidFile: string): string {
  const { settings } = record;
  const since = secondText(record.startedMs);
  const lines: [string, string][] = [
    ['pid', `${record.pid} ("${pidFile}")`],
    ['since', since],
    ['version', record.version],
    ['listens on', record.addresses.join(', ')],
    ['files', [settings.configFile, settings.enable_pool_hba ? record.hbaFile : '', settings.pool_passwd, record.pcpFile].filter((file) => file !== '').join(', ')],
    ['read', record.loadedMs === record.startedMs ? 'at the start' : secondText(record.loadedMs)],
    ...nodeLines(record),
  ];
  const title = record.state === 'stopping' ? 'pgpool is stopping' : 'pgpool runs';
  return `${title}\n${lines.map(([name, value]) => `  ${name.padEnd(10)} ${value}\n`).join('')}`;
}

const words: Readonly<Record<StoredStatus, string>> = { up: 'up', down: 'down', detached: 'down (detached)', unused: 'not known' };

function nodeLines({ settings }: RunRecord): [string, string][] {
  const file = statusFileOf(settings);
  const states = readStatusFile(file, { log: () => undefined }) ?? [];
  const facts = statSync(file, { throwIfNoEntry: false });
  const nodes = settings.backends.map(({ id, hostname, port }): [string, string] => [`node ${id}`, `${hostname}:${port} ${words[states[id] ?? 'unused']}`]);
  // It is written when a state changes, and not when all nodes are down.
  return facts === undefined ? nodes : [...nodes, ['states', `as of ${secondText(facts.mtimeMs)} ("${file}")`]];
}

/** Local time, `2026-01-31 09:05:00`. */
function secondText(timeMs: number): string {
  const at = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
