/** The kinds of sample files: pgpool.conf.sample and one for each way to keep the nodes the same. */
import { scalarParameters } from '../../shared/parameters/table.js';

export interface SampleKind {
  /** Behind `pgpool.conf.sample`; empty for the general one. */
  readonly ending: string;
  /** What the file is for, in lines. */
  readonly purpose: readonly string[];
  /** What the file sets, as written in it; everything else is commented out. */
  readonly settings: Readonly<Record<string, string>>;
}

type Mode = keyof typeof scalarParameters.backend_clustering_mode.words;
const mode = (word: Mode): { backend_clustering_mode: string } => ({ backend_clustering_mode: word });

export const generalKind: SampleKind = { ending: '', purpose: ['Every parameter with its default.'], settings: {} };

export const sampleKinds: readonly SampleKind[] = [
  generalKind,
  {
    ending: '-stream',
    purpose: ["For PostgreSQL's streaming replication: a primary and standbys. Writes go to the primary,", 'reads to all nodes. Set the nodes, sr_check_user and health_check_user.'],
    settings: mode('streaming_replication'),
  },
  {
    ending: '-replication',
    purpose: ['For native replication: pgpool itself sends every write to all nodes.'],
    settings: mode('native_replication'),
  },
  {
    ending: '-snapshot',
    purpose: ['For snapshot isolation: native replication whose transactions see the same on all nodes.', "The servers need default_transaction_isolation = 'repeatable read'."],
    settings: mode('snapshot_isolation'),
  },
  {
    ending: '-logical',
    purpose: ["For PostgreSQL's logical replication: writes go to the publisher (node 0), reads to all nodes."],
    settings: { ...mode('logical_replication'), sr_check_period: '0' },
  },
  {
    ending: '-raw',
    purpose: ['For nodes that pgpool does not keep the same: it uses the first one that works, for everything.'],
    settings: { ...mode('raw'), load_balance_mode: 'off', sr_check_period: '0' },
  },
  {
    ending: '-slony',
    purpose: [
      'For Slony-I or another replication by triggers: node 0 is the origin and gets all writes, the others are',
      'subscribers and share the reads. There is no mode of that name any more: it is streaming replication',
      'with the primary told, no check of the delay and no failover of the origin. Leave both users empty: a',
      'subscriber that can be asked says that it is a primary, and a second primary is not used.',
    ],
    settings: { ...mode('streaming_replication'), backend_flag0: "'ALWAYS_PRIMARY|DISALLOW_TO_FAILOVER'", health_check_user: "''", sr_check_period: '0', sr_check_user: "''" },
  },
];

/** A useful value of parameters that are empty by default, as it is written in the file. */
export const sampleExamples: Readonly<Record<string, string>> = {
  backend_hostname: "'db1.example.com'",
  backend_data_directory: "'/var/lib/postgresql/15/main'",
  backend_application_name: "'server0'",
  failover_command: "'/etc/pgpool2/failover.sh %d %h %p %D %m %H %M %P %r %R %N %S'",
  follow_primary_command: "'/etc/pgpool2/follow_primary.sh %d %h %p %D %m %H %M %P %r %R'",
  recovery_1st_stage_command: "'recovery_1st_stage'",
  recovery_2nd_stage_command: "'replication_mode_recovery_2nd_stage'",
  wd_escalation_command: "'/etc/pgpool2/escalation.sh'",
  database_redirect_preference_list: "'postgres:primary,reports:standby(0.5)'",
};
