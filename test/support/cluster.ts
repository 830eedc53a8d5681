/** The cluster that test/run.ts starts once for all test files. */

export interface TestNode {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** The data directory. */
  readonly directory: string;
}

export interface TestCluster {
  /** Node 0 is the primary, 1 and 2 are streaming standbys. */
  readonly nodes: readonly TestNode[];
  /** Superuser, trusted by all servers. */
  readonly user: string;
  /** Holds the tables of test/support/fixtures.ts. */
  readonly database: string;
}

/** Name of the environment variable through which a test file learns of the cluster. */
export const clusterVariable = 'PGLOOM_TEST_CLUSTER';

/**
 * The shared cluster: one primary, two standbys, database `test`. A test that stops, kills or promotes a node must
 * start a cluster of its own with startCluster instead.
 */
export function sharedCluster(): TestCluster {
  const json = process.env[clusterVariable];
  if (json === undefined) {
    throw new Error(`${clusterVariable} is not set: run the tests with npm test, or one of them with `
      + 'node dist/test/run.js <part of its path>');
  }
  return JSON.parse(json) as TestCluster;
}
