/** What the servers of the shared cluster are doing. */
import { sharedCluster } from './cluster.js';
import { eventually } from './eventually.js';
import { withClient } from './pgloom.js';

/**
 * Resolves when so many sessions of the servers run the statement: a cancel that comes earlier would find nothing to cancel.
 * @param sql no other test that may run at the same time says the same
 */
export async function untilRunning(sql: string, count = 1): Promise<void> {
  await eventually(`${sql} runs`, async () => {
    const found = await Promise.all(sharedCluster().nodes.map(async (node) => {
      const { rowCount } = await withClient(node, (client) => client.query("select from pg_stat_activity where state = 'active' and query = $1", [sql]));
      return rowCount ?? 0;
    }));
    return found.reduce((sum, here) => sum + here, 0) >= count;
  });
}
