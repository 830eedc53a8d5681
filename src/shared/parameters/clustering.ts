/** What keeps the nodes the same. */
import { bool, words } from './kinds.js';

export const clustering = {
  backend_clustering_mode: words(
    { streaming_replication: 1, native_replication: 2, logical_replication: 3, raw: 4, snapshot_isolation: 5 },
    'streaming_replication',
    { change: 'start', actedOn: true, meaning: 'how the nodes are kept the same; streaming_replication or raw for now' },
  ),
  replication_mode: bool(false, { change: 'start', meaning: 'old switch for native replication; use backend_clustering_mode' }),
};
