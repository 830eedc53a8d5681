/** What a reload and a restart would change in the pgpool that runs. */
import { statSync } from 'node:fs';
import { formatValue, quoted } from '../../shared/parameters/format.js';
import type { Parameter, Value } from '../../shared/parameters/kinds.js';
import { findParameter, scalarParameters } from '../../shared/parameters/table.js';
import type { Backend, Settings } from '../../shared/settings.js';
import { readStatusFile, statusFileOf } from '../cluster/status-file.js';
import { ConfigError } from '../config/errors.js';
import { reloadConfig } from '../config/reload.js';
import type { RunRecord } from '../run-record.js';

/** Lines for people; passwords are neither compared nor shown. */
export function compareWithRunning(record: RunRecord, next: Settings): string[] {
  const current = completed(record.settings, next);
  const states = readStatusFile(statusFileOf(record.settings), { log: () => undefined }) ?? [];
  const lines: string[] = [];
  try {
    const { changed, needRestart } = reloadConfig(current, next.configFile, (node) => states[node] === 'down' || states[node] === 'detached');
    // -d of the one that runs is not in the file.
    const byReload = record.debug ? changed.filter((key) => key !== 'log_min_messages') : changed;
    lines.push(...byReload.map((key) => `by a reload: ${changeText(key, current, next)}`));
    lines.push(...needRestart.map((key) => `by a restart: ${changeText(key, current, next)}`));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    lines.push(`a reload would be refused, a restart not: ${error.message}`);
  }
  const others = [next.enable_pool_hba ? record.hbaFile : '', next.pool_passwd].filter((file) => file !== '' && isNewer(file, record.loadedMs));
  lines.push(...others.map((file) => `by a reload: ${file} was changed after it was read`));
  return lines;
}

/** The record lacks passwords, and parameters that its version did not know: they count as unchanged. */
function completed(settings: Settings, next: Settings): Settings {
  const secret = Object.entries(scalarParameters as Readonly<Record<string, Parameter>>)
    .filter(([, parameter]) => parameter.secret === true || parameter.masked === true)
    .map(([name]) => [name, next[name as keyof Settings]]);
  const backends = settings.backends.map((backend) => {
    const same = next.backends.find(({ id }) => id === backend.id);
    return { ...backend, health_check: { ...backend.health_check, password: same?.health_check.password ?? '' } };
  });
  return { ...next, ...settings, ...Object.fromEntries(secret), backends };
}

/** `key: old -> new`, as far as both can be written. */
function changeText(key: string, current: Settings, next: Settings): string {
  const [old, fresh] = [valueText(key, current), valueText(key, next)];
  if (old === null && fresh === null) return key;
  return `${key}: ${old ?? 'not set'} -> ${fresh ?? 'not set'}`;
}

function valueText(key: string, settings: Settings): string | null {
  const target = findParameter(key);
  if (target === null || typeof target === 'string') return null;
  const { name, parameter, index } = target;
  const value = index === undefined ? settings[name as keyof Settings] : backendValue(name, settings.backends.find(({ id }) => id === index.number));
  if (value === undefined || parameter.secret === true || parameter.masked === true) return null;
  const text = formatValue(parameter, value as Value);
  return typeof value === 'number' || typeof value === 'boolean' ? text : quoted(text);
}

function backendValue(name: string, backend: Backend | undefined): Value | undefined {
  if (backend === undefined) return undefined;
  if (name === 'backend_flag') {
    return [backend.allowToFailover ? 'ALLOW_TO_FAILOVER' : 'DISALLOW_TO_FAILOVER', ...(backend.alwaysPrimary ? ['ALWAYS_PRIMARY'] : [])].join('|');
  }
  const fields: Readonly<Record<string, unknown>> = name.startsWith('backend_') ? { ...backend } : { ...backend.health_check };
  const value = fields[name.replace(/^(?:backend|health_check)_/, '')];
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

function isNewer(file: string, thanMs: number): boolean {
  const facts = statSync(file, { throwIfNoEntry: false });
  return facts !== undefined && facts.mtimeMs > thanMs;
}
