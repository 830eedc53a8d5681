import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { renamed } from '../../src/main/config/old-names.js';
import { parameterMarkdown, sampleConfig } from '../../src/main/config/sample.js';
import type { Parameter } from '../../src/shared/parameters/kinds.js';
import { own } from '../../src/shared/parameters/own.js';
import { ssl } from '../../src/shared/parameters/ssl.js';
import { findParameter, indexedParameters, parameterNames, scalarParameters, sections } from '../../src/shared/parameters/table.js';
import { pgpoolNames } from './parameter-names.js';
import { configFile } from './scratch.js';

const all = sections.flatMap(({ parameters }) => Object.entries(parameters));

test('every parameter of Pgpool-II is in the table or is an old name of one that is', () => {
  const missing = pgpoolNames.filter((name) => !parameterNames.includes(name) && !parameterNames.includes(renamed[name] ?? ''));
  assert.deepEqual(missing, []);
});

test("the table holds nothing but parameters of Pgpool-II and pgloom's own", () => {
  assert.deepEqual(parameterNames.filter((name) => !pgpoolNames.includes(name)), [...Object.keys(ssl).filter((name) => name.startsWith('backend_')), ...Object.keys(own)]);
});

test('every parameter stands in exactly one section', () => {
  assert.deepEqual(all.map(([name]) => name).sort(), [...parameterNames].sort());
});

test('every meaning is one line that fits into SHOW POOL_STATUS', () => {
  for (const [name, { meaning }] of all) assert.ok(meaning.length > 5 && Buffer.byteLength(meaning) <= 79 && !meaning.includes('\n'), name);
});

test('every name with an index finds its group and the longest name wins', () => {
  assert.deepEqual(findParameter('backend_port3'), { name: 'backend_port', parameter: indexedParameters.backend.backend_port, index: { group: 'backend', number: 3 } });
  assert.equal(typeof findParameter('heartbeat_hostname255'), 'object');
  assert.match(String(findParameter('heartbeat_hostname256')), /outside the valid range/);
});

test('a sample file loads to the defaults, and so does the same file with every comment mark taken away', (t) => {
  const sample = sampleConfig();
  const uncommented = sample.replaceAll(/^#(\w+ = )/gm, '$1');
  assert.ok(uncommented.split('\n').filter((line) => /^\w+ = /.test(line)).length >= parameterNames.length);
  for (const text of [sample, uncommented]) {
    const file = configFile(t, text);
    const { settings, warnings, notActedOn } = loadConfig(file);
    for (const [name, parameter] of Object.entries(scalarParameters) as [keyof typeof scalarParameters, Parameter][]) {
      const value = settings[name];
      const relative = 'path' in parameter && typeof value === 'string' && typeof parameter.default === 'string' && !parameter.default.startsWith('/');
      if (relative && value !== '') assert.ok(String(value).endsWith(`/${String(parameter.default)}`), name);
      else assert.deepEqual(value, parameter.default, name);
    }
    assert.deepEqual(settings.backends, []);
    assert.deepEqual(settings.watchdogNodes, []);
    assert.deepEqual(notActedOn, []);
    assert.deepEqual(warnings, []);
  }
});

test('the sample file writes values the way people do', () => {
  const sample = sampleConfig();
  for (const line of [
    "#listen_addresses = 'localhost'",
    '#unix_socket_permissions = 0777',
    '#child_life_time = 5min',
    '#memqcache_total_size = 64MB',
    '#log_rotation_age = 1d',
    '#process_management_mode = static',
    "#reset_query_list = 'ABORT;DISCARD ALL'",
    '#load_balance_mode = on',
    "#backend_hostname0 = ''",
  ]) {
    assert.ok(sample.split('\n').includes(line), line);
  }
});

test("the README's table has a row for every parameter and whole columns", () => {
  const rows = parameterMarkdown().split('\n').filter((line) => line.startsWith('| `'));
  assert.equal(rows.length, parameterNames.length);
  for (const row of rows) assert.equal(row.match(/(?<!\\)\|/g)?.length, 8, row);
  assert.ok(rows.some((row) => row.startsWith('| `backend_portN` | int | `0` | 1024 … 65535 | reload | yes |')), rows.find((row) => row.includes('backend_portN')));
});
