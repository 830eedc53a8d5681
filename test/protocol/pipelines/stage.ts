/** Where random pipelines are played: a cluster of its own, and tables that are put back before each play. */
import { Client } from 'pg';
import { startCluster, type Cluster } from '../../../src/main/demo/cluster.js';
import { testDatabase } from '../../support/fixtures.js';

const tables = `
  create table goods (id int primary key, name text not null, n int not null default 0);
  create sequence log_ids;
  create table log (id int not null default nextval('log_ids'), what text);
  create unlogged table scratchpad (n int);
  create sequence counter;
  create view cheap as select id, name from goods where id <= 10;
  create function note(text) returns int language sql volatile as 'insert into log (what) values ($1) returning id';
  create function volatile_one() returns int language sql volatile as 'select 1';
  create function stable_one() returns int language sql stable as 'select 1';
  create procedure add_one() language sql as 'update goods set n = n + 1 where id = 1';
  create role pipelines_reader;
  grant select on all tables in schema public to pipelines_reader;
`;

/** DELETE and not TRUNCATE: a standby must not wait for the locks of a session that is just ending. */
const reset = `
  drop table if exists extra;
  delete from goods; delete from log; delete from scratchpad;
  insert into goods select id, 'goods ' || id, 0 from generate_series(1, 30) id;
  insert into scratchpad values (1), (2);
  select setval('log_ids', 1, false), setval('counter', 1, false);
`;
const vacuumEvery = 200;

export interface Stage {
  readonly cluster: Cluster;
  /** All tables as in the beginning, on all nodes. */
  putBack(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Commits are answered when the standbys have applied them: what one statement wrote is seen by the next on every
 * node, so that a difference is pgloom's and not the replication's.
 */
export async function startStage(): Promise<Stage> {
  const cluster = await startCluster({ settings: { max_standby_streaming_delay: '2s', autovacuum: 'off' } });
  try {
    await cluster.query(0, `create database ${testDatabase}`);
    await cluster.query(0, tables, testDatabase);
    await cluster.query(0, `alter database ${testDatabase} set synchronous_commit = remote_apply`);
    await cluster.query(0, "alter system set synchronous_standby_names = '2 (*)'");
    await cluster.query(0, 'select pg_reload_conf()');
    await cluster.waitForReplay();
    const client = new Client({ host: '127.0.0.1', port: cluster.nodes[0]!.port, user: cluster.user, database: testDatabase });
    client.on('error', () => undefined);
    await client.connect();
    return stageOf(cluster, client);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

function stageOf(cluster: Cluster, client: Client): Stage {
  let times = 0;
  return {
    cluster,
    putBack: async () => {
      if (++times % vacuumEvery === 0) await client.query('vacuum');
      await client.query(reset);
    },
    stop: async () => {
      await client.end().catch(() => undefined);
      await cluster.stop();
    },
  };
}
