/** Debian's Pgpool-II in front of the shared cluster, with a PCP port and a user for it. */
import { pcpMd5 } from '../../src/shared/auth/md5.js';
import { type Pgpool2, type Pgpool2Options, startPgpool2 } from '../support/pgpool2.js';

export const pcpUser = 'operator';
export const pcpPassword = 'a secret';

/** Resolves when it accepts connections. */
export function startPgpool2Server(settings: Pgpool2Options['settings'] = {}): Promise<Pgpool2> {
  const nodes = [0, 1, 2].flatMap((id) => [[`backend_weight${id}`, id + 1], [`backend_application_name${id}`, `node${id}`]] as const);
  return startPgpool2({
    pcp: `${pcpUser}:${pcpMd5(pcpPassword)}\n`,
    settings: {
      num_init_children: 3, max_pool: 1, sr_check_period: 1, search_primary_node_timeout: 5, connection_life_time: 0, child_life_time: 0,
      ...Object.fromEntries(nodes), ...settings,
    },
  });
}
