import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseValue } from '../../src/shared/parameters/parse-value.js';
import { formatValue } from '../../src/shared/parameters/format.js';
import { int } from '../../src/shared/parameters/kinds.js';
import { compilePattern } from '../../src/shared/parameters/posix-regex.js';
import { scalarParameters as table } from '../../src/shared/parameters/table.js';

const seconds = table.child_life_time;
const bytes = table.memqcache_total_size;
const anyInt = int(0, { change: 'start', meaning: '', min: -1000 });

test('a Boolean is any beginning of its words that leaves no doubt, in any case', () => {
  for (const text of ['on', 'ON', 'true', 't', 'Tru', 'yes', 'y', '1']) assert.equal(parseValue('k', text, table.ssl), true, text);
  for (const text of ['off', 'of', 'OFF', 'false', 'f', 'no', 'n', '0']) assert.equal(parseValue('k', text, table.ssl), false, text);
});

test('any other text is not a Boolean', () => {
  for (const text of ['o', '', 'maybe', '2', 'onn', 'truee', ' on', '01']) assert.throws(() => parseValue('k', text, table.ssl), /invalid value for parameter "k"/, text);
});

test('integers may be decimal, octal, hexadecimal or rounded half to even', () => {
  const cases: [string, number][] = [['12', 12], ['-12', -12], ['+7', 7], ['0600', 384], ['0x1F', 31], ['0X1f', 31], ['2.5', 2], ['3.5', 4], ['1e2', 100], [' 5 ', 5], ['-0', 0]];
  for (const [text, value] of cases) assert.equal(parseValue('k', text, anyInt), value, text);
  for (const text of ['', 'x', '08', '5x', '1 2', '--1', '0x', '5s']) assert.throws(() => parseValue('k', text, anyInt), /invalid value/, text);
});

test('units convert to the unit of the parameter, with blanks before them or not', () => {
  const cases: [string, number][] = [['30', 30], ['30s', 30], ['30 s', 30], ['5min', 300], ['2h', 7200], ['1d', 86400], ['1500ms', 2], ['500ms', 0], ['1.5min', 90], ['2000000us', 2]];
  for (const [text, value] of cases) assert.equal(parseValue('k', text, seconds), value, text);
  assert.equal(parseValue('k', '64MB', bytes), 67108864);
  assert.equal(parseValue('k', '1kB', bytes), 1024);
  assert.equal(parseValue('k', '1TB', bytes), 2 ** 40);
  assert.equal(parseValue('k', '1MB', table.log_rotation_size), 1024);
});

test('a wrong unit is answered with the right ones', () => {
  assert.throws(() => parseValue('k', '1mb', bytes), /valid units are B, kB, MB, GB, TB/);
  assert.throws(() => parseValue('k', '1MB', seconds), /valid units are us, ms, s, min, h, d/);
  assert.throws(() => parseValue('k', '5constructor', seconds), /valid units/);
});

test('a number outside its range is refused with the range', () => {
  assert.throws(() => parseValue('port', '80', table.port), /80 is outside the valid range for parameter "port" \(1024 \.\. 65535\)/);
  assert.throws(() => parseValue('k', '-1', bytes), /\(0 \.\. 9223372036854775807\)/);
  assert.throws(() => parseValue('k', '1e999', seconds), /outside the valid range/);
  assert.throws(() => parseValue('unix_socket_permissions', '770', table.unix_socket_permissions), /770 is outside/);
  assert.equal(parseValue('k', '0', table.wd_listen_port), 0);
  assert.equal(parseValue('k', '9223372036854775807', bytes), 2 ** 63);
});

test('a floating number is a number and nothing else', () => {
  assert.equal(parseValue('k', '1.5', table.track_table_mutation_ttl_factor), 1.5);
  assert.throws(() => parseValue('k', 'much', table.track_table_mutation_ttl_factor), /a number is expected/);
  assert.throws(() => parseValue('k', '0.5', table.track_table_mutation_ttl_factor), /1 \.\. 100/);
});

test('words are found in any case and older spellings become the word they mean', () => {
  assert.equal(parseValue('k', 'Dynamic', table.process_management_mode), 'dynamic');
  assert.equal(parseValue('k', 'local3', table.syslog_facility), 'LOCAL3');
  assert.equal(parseValue('k', 'debug', table.log_min_messages), 'debug2');
  assert.equal(parseValue('k', 'off', table.check_temp_table), 'none');
  assert.throws(() => parseValue('k', 'tostring', table.process_management_mode), /available values: static, dynamic/);
});

test('lists are split at their separator, trimmed, and empty items are left out', () => {
  assert.deepEqual(parseValue('k', ' a , ,b,', table.listen_addresses), ['a', 'b']);
  assert.deepEqual(parseValue('k', '', table.listen_addresses), []);
  assert.deepEqual(parseValue('k', 'ABORT; DISCARD ALL', table.reset_query_list), ['ABORT', 'DISCARD ALL']);
});

test('in the list of query patterns a backslash protects a semicolon and a quote', () => {
  const text = String.raw`select 1\; --;.*\'x\'.*;a\.b`;
  assert.deepEqual(parseValue('k', text, table.primary_routing_query_pattern_list), [String.raw`select 1\; --`, ".*'x'.*", String.raw`a\.b`]);
});

test('patterns match whole strings, in any case, as POSIX says', () => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ['nextval', 'NEXTVAL', true],
    ['nextval', 'nextval2', false],
    ['get_.*', 'get_x', true],
    ['^get', 'get', true],
    ['[[:alpha:]]+_[^[:digit:]]', 'abc_x', true],
    ['[[:alpha:]]+_[^[:digit:]]', 'abc_1', false],
    [String.raw`[\d]`, 'd', true],
    [String.raw`[\d]`, '5', false],
    ['[]x]', ']', true],
    [String.raw`a\.b`, 'a.b', true],
    [String.raw`a\.b`, 'axb', false],
    ['select.*from t', 'SELECT 1\nfrom t', true],
    ['x{y', 'x{y', true],
    ['a{2}', 'aa', true],
    [String.raw`\d`, 'd', true],
  ];
  for (const [pattern, text, matches] of cases) assert.equal(compilePattern(pattern).test(text), matches, `${pattern} on ${text}`);
  for (const pattern of ['(', '[a', '*a', '(?:a)', '[[:nothing:]]']) assert.throws(() => compilePattern(pattern), SyntaxError, pattern);
});

test('values are shown in the largest unit that divides them', () => {
  assert.equal(formatValue(seconds, 300), '5min');
  assert.equal(formatValue(seconds, 90), '90s');
  assert.equal(formatValue(seconds, 0), '0');
  assert.equal(formatValue(bytes, 10240), '10kB');
  assert.equal(formatValue(bytes, 2 ** 63), '9223372036854775807');
  assert.equal(formatValue(table.unix_socket_permissions, 0o770), '0770');
  assert.equal(formatValue(table.log_file_mode, 0), '0000');
});
