/**
 * The long fuzz test of logins: `node dist/bench/fuzz/login/run.js [cases] [seed] [first case] [mode]`, 1,000,000 cases when
 * not told otherwise. One case again: `run.js 1 <seed> <its number>`. The modes are those of scene.ts.
 */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startCluster } from '../../../src/main/demo/cluster.js';
import { createFixtures } from '../../../test/support/fixtures.js';
import type { Pgloom } from '../../../test/support/pgloom.js';
import { pgHba } from './accounts.js';
import { faultOf, fuzzLogins } from './login-fuzz.js';
import { modes, withScene } from './scene.js';

const cases = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const first = Number(process.argv[4] ?? 0);
const mode = modes.find((name) => name === process.argv[5]) ?? 'pool_hba';
const logFile = 'fuzz.log';

/** A million refusals are too many lines for a test's memory. */
async function faultsInLog(pgloom: Pgloom): Promise<string[]> {
  const faults: string[] = [];
  const lines = createInterface({ input: createReadStream(path.join(pgloom.directory, logFile)) });
  for await (const line of lines) {
    const fault = faultOf(line);
    if (fault !== null && faults.push(fault) > 40) break;
  }
  return faults;
}

// By method md5 a server asks for SCRAM where it knows no md5 password, unless it makes those itself.
const cluster = await startCluster({ standbys: 0, ...(mode === 'relay' && { auth: pgHba, settings: { password_encryption: 'md5' } }) });
try {
  await createFixtures(cluster);
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('no server');
  const settings = { logging_collector: true, log_directory: '.', log_filename: logFile, log_rotation_size: 0, log_rotation_age: 0 };
  await withScene({ node, settings, mode }, async (pgloom) => {
    try {
      const result = await fuzzLogins(pgloom, { cases, mode, seed, first, report: (line) => console.log(line) });
      console.log(JSON.stringify(result, null, 2));
      if (result.differences.length > 0) process.exitCode = 1;
    } finally {
      const faults = await faultsInLog(pgloom);
      console.log(faults.length === 0 ? 'nothing bad stands in the log' : faults.join('\n'));
      if (faults.length > 0) process.exitCode = 1;
    }
  });
} finally {
  await cluster.stop();
}
