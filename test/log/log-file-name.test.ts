/** Names of log files, beside what the C library makes of the same pattern. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { strftime } from '../../src/main/observe/log-file-name.js';
import { nextRotationMs } from '../../src/main/observe/log-rotation.js';

const before = process.env['TZ'];
after(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

/** date(1) is strftime() of the C library. */
function dateSays(pattern: string, time: Date): string {
  return execFileSync('date', ['-d', `@${time.getTime() / 1000}`, `+${pattern}`], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }).slice(0, -1);
}

const conversions = 'aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%';
const moments = ['2024-02-29T23:59:59', '2024-12-30T00:00:00', '2023-01-01T12:00:01', '2021-01-03T01:02:03', '2026-07-05T00:30:00', '2020-12-31T13:00:00'];

test('every conversion is what strftime makes of it, in several time zones', () => {
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/New_York']) {
    process.env['TZ'] = zone;
    for (const moment of moments) {
      const time = new Date(moment);
      const pattern = [...conversions].map((letter) => `${letter}=%${letter}`).join('|');
      // Node calls India's zone by its distance, as POSIX allows.
      const nameless = (text: string): string => (zone === 'Asia/Kolkata' ? text.replace(/\|Z=[^|]*/, '') : text);
      assert.equal(nameless(strftime(pattern, time)), nameless(dateSays(pattern, time)), `${zone} ${moment}`);
    }
  }
});

test('what is no conversion stays as it was written, and nothing is added', () => {
  const time = new Date('2026-11-23T04:05:06');
  for (const [pattern, name] of [['pgpool.log', 'pgpool.log'], ['%Q-%Y', '%Q-2026'], ['end%', 'end%'], ['%EY %Od %%d', '2026 23 %d'], ['', '']] as const) {
    assert.equal(strftime(pattern, time), name);
  }
});

test('a file is too old at the next multiple of its age in local time', () => {
  process.env['TZ'] = 'Asia/Kolkata';
  const at = (text: string): number => new Date(text).getTime();
  assert.equal(nextRotationMs(at('2026-11-23T04:05:06'), 1440), at('2026-11-24T00:00:00'));
  assert.equal(nextRotationMs(at('2026-11-23T23:59:59.999'), 1440), at('2026-11-24T00:00:00'));
  assert.equal(nextRotationMs(at('2026-11-24T00:00:00'), 1440), at('2026-11-25T00:00:00'));
  assert.equal(nextRotationMs(at('2026-11-23T04:05:06'), 60), at('2026-11-23T05:00:00'));
  assert.equal(nextRotationMs(at('2026-11-23T04:05:06'), 15), at('2026-11-23T04:15:00'));
  assert.equal(nextRotationMs(at('2026-11-23T04:05:06'), 0), Number.POSITIVE_INFINITY);
});
