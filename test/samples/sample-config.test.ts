/** pgpool.conf.sample and its kinds. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/main/config/load.js';
import { sampleConfig } from '../../src/main/config/sample.js';
import { type SampleKind, sampleKinds } from '../../src/main/config/sample-kinds.js';
import { parseValue } from '../../src/shared/parameters/parse-value.js';
import { findParameter, sections } from '../../src/shared/parameters/table.js';
import { queryServer } from '../../src/main/demo/sql.js';
import { operatingSystemUser } from '../../src/main/setup/layout.js';
import { modesToCome, setupModes } from '../../src/main/setup/setup-options.js';
import { configFile, faultsOf } from '../config/scratch.js';
import { freePorts, setUpDirectory } from '../setup/set-up-directory.js';

const keys = sections.flatMap(({ parameters, indexed }) => Object.keys(parameters).map((name) => (indexed === undefined ? name : `${name}0`)));
const comesLater = modesToCome.map((letter) => setupModes[letter] as string);

/** Lines that assign, commented out or not. */
function assignments(text: string): { key: string; value: string; isSet: boolean }[] {
  return [...text.matchAll(/^(#?)(\w+) = (.*)$/gm)].map(([, mark, key = '', value = '']) => ({ key, value, isSet: mark === '' }));
}

for (const kind of sampleKinds) {
  const text = sampleConfig(kind);
  const name = `pgpool.conf.sample${kind.ending}`;

  test(`${name} has every parameter exactly once, and sets what its kind sets`, () => {
    assert.deepEqual(assignments(text).map(({ key }) => key).toSorted(), keys.toSorted());
    const set = Object.fromEntries(assignments(text).filter(({ isSet }) => isSet).map(({ key, value }) => [key, value]));
    assert.deepEqual(set, kind.settings);
  });

  test(`the defaults in ${name} are the table's`, () => {
    for (const { key, value } of assignments(text).filter(({ isSet }) => !isSet)) {
      const target = findParameter(key);
      assert.ok(typeof target === 'object' && target !== null, key);
      assert.deepEqual(parseValue(key, value.replace(/^'(.*)'$/, '$1').replaceAll("''", "'"), target.parameter), target.parameter.default, key);
    }
  });

  test(`${name} loads without a warning, or says that its mode comes later`, (t) => {
    const file = configFile(t, text);
    if (comesLater.includes(modeOf(kind))) {
      assert.deepEqual(faultsOf(file).map(({ key }) => key), ['backend_clustering_mode']);
      return;
    }
    const { settings, warnings } = loadConfig(file);
    assert.deepEqual(warnings, []);
    assert.equal(settings.backend_clustering_mode, modeOf(kind));
  });
}

function modeOf(kind: SampleKind): string {
  return kind.settings['backend_clustering_mode'] ?? 'streaming_replication';
}

test('a sample file says of a parameter its unit, its range and what a change needs', () => {
  const part = sampleConfig().split('#health_check_timeout = ')[1]?.split('\n#')[0] ?? '';
  assert.match(part, /0 to 2\^31-1; without a unit in s/);
  assert.match(part, /a change needs a reload/);
  assert.match(sampleConfig().split('\n#port = ')[1]?.split('\n#')[0] ?? '', /1024 to 65535\n.*a change needs a restart/);
});

test('with the settings of pgpool.conf.sample-slony reads go to all nodes and writes to node 0, though all are primaries', async (t) => {
  const kind = sampleKinds.find(({ ending }) => ending === '-slony');
  assert.ok(kind !== undefined);
  const made = setUpDirectory(t);
  const port = await freePorts(4);
  const { status, output } = await made.run('pgpool-setup', '-m', 'n', '-p', port);
  assert.equal(status, 0, output);
  appendFileSync(path.join(made.directory, 'etc/pgpool.conf'), Object.entries(kind.settings).map(([key, value]) => `${key} = ${value}\n`).join(''));
  assert.equal((await made.runMade('startall')).status, 0);
  const login = { user: operatingSystemUser(), database: 'test' };
  for (const node of [0, 1]) await queryServer({ host: made.socketDirectory, port: port + 2 + node, ...login }, 'create table t (i int)');
  const readers = new Set<unknown>();
  for (let session = 0; session < 100 && readers.size < 2; session++) {
    const [row] = await queryServer({ host: '127.0.0.1', port, ...login }, "select current_setting('port') as port");
    readers.add(row?.['port']);
    await queryServer({ host: '127.0.0.1', port, ...login }, 'insert into t values (1)');
  }
  assert.equal(readers.size, 2);
  assert.deepEqual(await queryServer({ host: made.socketDirectory, port: port + 3, ...login }, 'select * from t'), []);
});
