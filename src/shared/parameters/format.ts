/** Values as text for people: in the sample file, in PGPOOL SHOW and in messages. */
import { int64Max, type Parameter, type Unit, type Value } from './kinds.js';

/** Sizes of the units: microseconds for times, bytes for memory. The larger ones come first. */
export const timeUnits: Readonly<Record<string, number>> = { d: 86_400_000_000, h: 3_600_000_000, min: 60_000_000, s: 1_000_000, ms: 1000, us: 1 };
export const memoryUnits: Readonly<Record<string, number>> = { TB: 2 ** 40, GB: 2 ** 30, MB: 2 ** 20, kB: 1024, B: 1 };

/** The units that may be written where `unit` is the one kept. */
export function unitsLike(unit: Unit): Readonly<Record<string, number>> {
  return unit in timeUnits ? timeUnits : memoryUnits;
}

/** Digits of a whole number; the largest int64 as itself, which a double cannot hold. */
export function integerText(value: number): string {
  return value >= int64Max ? '9223372036854775807' : BigInt(value).toString();
}

/** A number in the largest unit that divides it, such as 5min or 64MB; 0 has no unit. */
function withUnit(value: number, unit: Unit): string {
  const units = unitsLike(unit);
  const base = units[unit] ?? 1;
  const fitting = Object.entries(units).find(([, size]) => size >= base && (value * base) % size === 0);
  if (value <= 0 || value >= int64Max || fitting === undefined) return integerText(value);
  return integerText((value * base) / fitting[1]) + fitting[0];
}

/** The value as it may be written in the file, without quotes. */
export function formatValue(parameter: Parameter, value: Value): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (parameter.type === 'float') return Number.isInteger(value) ? value.toFixed(1) : String(value);
    if (parameter.type !== 'int' && parameter.type !== 'int64') return integerText(value);
    if (parameter.octal === true) return `0${value.toString(8).padStart(3, '0')}`;
    return parameter.unit === undefined ? integerText(value) : withUnit(value, parameter.unit);
  }
  const separator = parameter.type === 'list' || parameter.type === 'regex list' ? parameter.separator : ',';
  return value.join(separator);
}

/** The value in single quotes, quotes inside doubled. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
