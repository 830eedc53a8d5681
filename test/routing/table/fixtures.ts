/** A database of the table's own: its rows create, lock and drop things, and two test files run at the same time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { sharedCluster } from '../../support/cluster.js';

const objects = `
  create table items (id int primary key, name text not null);
  insert into items select n, 'item ' || n from generate_series(1, 20) n;
  create table scratch (id int, name text);
  create table lockable (id int, name text);
  create table lockable_too (id int);
  create table emptied (id int);
  create view lockable_names as select name from lockable;
  create sequence lockable_numbers;
  create function lockable_one() returns int language sql immutable as 'select 1';
  create function lockable_two() returns int language sql stable as 'select 1';
  create schema lockable_schema;
  create table bumps (id serial primary key, at timestamptz not null default clock_timestamp());
  create table "Mixed Case" ("Id" int, "from" text);
  create table "select" (id int);
  create table columns (id int);
  create table measures (day date, n int) partition by range (day);
  create table measures_2026 partition of measures for values from ('2026-01-01') to ('2027-01-01');
  create unlogged table unlogged_items (id int primary key, name text);
  create sequence ticket;
  create view item_names as select name from items;
  create view of_unlogged as select * from unlogged_items;
  create view of_view as select * from of_unlogged;
  create view of_catalog as select relname from pg_class;
  create materialized view item_count as select count(*) as n from items;
  create function bump() returns int language sql volatile as 'insert into bumps default values returning id';
  create function volatile_one() returns int language sql volatile as 'select 1';
  create function stable_one() returns int language sql stable as 'select 1';
  create function immutable_one() returns int language sql immutable as 'select 1';
  create function "Volatile Case"() returns int language sql volatile as 'select 1';
  create function "Stable Case"() returns int language sql stable as 'select 1';
  create function rows_of_items() returns setof items language sql stable as 'select * from items';
  create view of_volatile as select bump() as n;
  create procedure do_nothing() language sql as 'select 1';
  create schema shop;
  create table shop.orders (id int primary key, total int);
  create unlogged table shop.carts (id int);
  create function shop.price() returns int language sql stable as 'select 1';
  create function shop.sell() returns int language sql volatile as 'select 1';
  create function only_shop() returns int language sql stable as 'select 1';
  create function shop.only_shop() returns int language sql volatile as 'select 1';
  create table guarded (id int, owner text);
  alter table guarded enable row level security;
  create policy by_function on guarded using (volatile_one() = 1);
  create table guarded_plainly (id int);
  alter table guarded_plainly enable row level security;
  create policy by_value on guarded_plainly using (id > 0);
  create table made_last ();
  grant all on all tables in schema public, shop to public;
  grant all on schema public, shop to public;
`;

/** Roles belong to the whole cluster: another file may have made them. */
const roles = ['row_writer', 'row_reader'];

async function onNode<T>(node: number, database: string, use: (client: Client) => Promise<T>): Promise<T> {
  const { host, port } = sharedCluster().nodes[node] ?? { host: '', port: 0 };
  const client = new Client({ host, port, user: sharedCluster().user, database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Creates the database with its objects on the primary, and waits until the standbys have them. */
export async function createRowDatabase(name: string): Promise<void> {
  await onNode(0, 'postgres', async (client) => {
    await client.query(`drop database if exists ${name} with (force)`);
    await client.query(`create database ${name}`);
    for (const role of roles) await client.query(`create role ${role} login`).catch(ignoreDuplicate);
  });
  await onNode(0, name, (client) => client.query(objects));
  for (const { id } of sharedCluster().nodes.slice(1)) await waitForObjects(id, name);
}

export async function dropRowDatabase(name: string): Promise<void> {
  await onNode(0, 'postgres', (client) => client.query(`drop database if exists ${name} with (force)`));
}

function ignoreDuplicate(error: unknown): void {
  const { code } = error as { code?: string };
  if (code !== '42710' && code !== '23505') throw error;
}

async function waitForObjects(node: number, database: string): Promise<void> {
  for (const deadlineMs = Date.now() + 30_000; ;) {
    try {
      await onNode(node, database, (client) => client.query('select from made_last'));
      return;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await sleep(50);
    }
  }
}
