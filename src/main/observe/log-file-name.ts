/**
 * Names of log files: what strftime() of the C library makes of log_filename, in local time and in English. A
 * conversion that it does not know is left as it was written.
 */

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

const dayMs = 86_400_000;

const digits = (number: number, width = 2, fill = '0'): string => String(number).padStart(width, fill);
/** Counted from 0; by UTC, where every day is as long as the others. */
const dayOfYear = (t: Date): number => (Date.UTC(t.getFullYear(), t.getMonth(), t.getDate()) - Date.UTC(t.getFullYear(), 0, 1)) / dayMs;
const hour12 = (t: Date): number => t.getHours() % 12 || 12;
/** Monday is 1, Sunday 7. */
const isoDay = (t: Date): number => t.getDay() || 7;

/** ISO 8601: a week belongs to the year of its Thursday. */
function isoWeek(t: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(t.getFullYear(), t.getMonth(), t.getDate() + 4 - isoDay(t));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

/** Seconds east of Greenwich. */
export function zoneSeconds(t: Date): number {
  return -t.getTimezoneOffset() * 60;
}

function zoneDigits(t: Date): string {
  const minutes = Math.abs(t.getTimezoneOffset());
  return `${t.getTimezoneOffset() > 0 ? '-' : '+'}${digits(Math.floor(minutes / 60))}${digits(minutes % 60)}`;
}

function zoneName(t: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(t);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

type Conversion = (t: Date) => string;

const conversions: Readonly<Record<string, Conversion>> = {
  a: (t) => (days[t.getDay()] ?? '').slice(0, 3),
  A: (t) => days[t.getDay()] ?? '',
  b: (t) => (months[t.getMonth()] ?? '').slice(0, 3),
  B: (t) => months[t.getMonth()] ?? '',
  c: (t) => strftime('%a %b %e %H:%M:%S %Y', t),
  C: (t) => digits(Math.floor(t.getFullYear() / 100)),
  d: (t) => digits(t.getDate()),
  D: (t) => strftime('%m/%d/%y', t),
  e: (t) => digits(t.getDate(), 2, ' '),
  F: (t) => strftime('%Y-%m-%d', t),
  g: (t) => digits(isoWeek(t).year % 100),
  G: (t) => String(isoWeek(t).year),
  h: (t) => strftime('%b', t),
  H: (t) => digits(t.getHours()),
  I: (t) => digits(hour12(t)),
  j: (t) => digits(dayOfYear(t) + 1, 3),
  k: (t) => digits(t.getHours(), 2, ' '),
  l: (t) => digits(hour12(t), 2, ' '),
  m: (t) => digits(t.getMonth() + 1),
  M: (t) => digits(t.getMinutes()),
  n: () => '\n',
  p: (t) => (t.getHours() < 12 ? 'AM' : 'PM'),
  P: (t) => (t.getHours() < 12 ? 'am' : 'pm'),
  r: (t) => strftime('%I:%M:%S %p', t),
  R: (t) => strftime('%H:%M', t),
  s: (t) => String(Math.floor(t.getTime() / 1000)),
  S: (t) => digits(t.getSeconds()),
  t: () => '\t',
  T: (t) => strftime('%H:%M:%S', t),
  u: (t) => String(isoDay(t)),
  U: (t) => digits(Math.floor((dayOfYear(t) + 7 - t.getDay()) / 7)),
  V: (t) => digits(isoWeek(t).week),
  w: (t) => String(t.getDay()),
  W: (t) => digits(Math.floor((dayOfYear(t) + 8 - isoDay(t)) / 7)),
  x: (t) => strftime('%m/%d/%y', t),
  X: (t) => strftime('%H:%M:%S', t),
  y: (t) => digits(t.getFullYear() % 100),
  Y: (t) => String(t.getFullYear()),
  z: zoneDigits,
  Z: zoneName,
  '%': () => '%',
};

/** E and O ask for the forms of other calendars and digits, which the C locale does not have. */
export function strftime(pattern: string, time: Date): string {
  return pattern.replaceAll(/%[EO]?(.)/gs, (whole, letter: string) => conversions[letter]?.(time) ?? whole);
}
