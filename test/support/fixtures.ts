import type { Cluster } from '../../src/main/demo/cluster.js';

/** Name of the database that holds the fixtures. */
export const testDatabase = 'test';

/**
 * What every test finds in the database `test`: pgbench's tables at scale 1 with 10,000 accounts, `items` with 100 rows
 * in which nobody commits a change, `notes` for that,
 * the sequence `ticket`, the unlogged table `unlogged_items`, the view `item_names`, and one function of each
 * volatility: `volatile_one()`, `stable_one()`, `immutable_one()`, and `bump()` which writes to `bumps`.
 */
const fixtures = `
  create table pgbench_branches (bid int primary key, bbalance int, filler char(88));
  create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84));
  create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
  create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
  insert into pgbench_branches values (1, 0, '');
  insert into pgbench_tellers select n, 1, 0, '' from generate_series(1, 10) n;
  insert into pgbench_accounts select n, 1, 0, '' from generate_series(1, 10000) n;
  create table items (id int primary key, name text not null);
  insert into items select n, 'item ' || n from generate_series(1, 100) n;
  create table notes (id int primary key, name text not null);
  create view item_names as select name from items;
  create unlogged table unlogged_items (id int primary key, name text);
  create sequence ticket;
  create table bumps (id serial primary key, at timestamptz not null default clock_timestamp());
  create function bump() returns int language sql volatile as 'insert into bumps default values returning id';
  create function volatile_one() returns int language sql volatile as 'select 1';
  create function stable_one() returns int language sql stable as 'select 1';
  create function immutable_one() returns int language sql immutable as 'select 1';
`;

/** Creates the database `test` with its fixtures on the primary and waits until the standbys have them. */
export async function createFixtures(cluster: Cluster): Promise<void> {
  await cluster.query(0, `create database ${testDatabase}`);
  await cluster.query(0, fixtures, testDatabase);
  await cluster.query(0, 'vacuum analyze', testDatabase);
  await cluster.waitForReplay();
}
