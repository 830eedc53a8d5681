/** The databases, roles and tables of the consistency test. */

export const databases = ['soak_a', 'soak_b'] as const;
/** The second one is no superuser. */
export const users = ['postgres', 'soak_user'] as const;
export const schemas = ['soak_x', 'soak_y', 'soak_z'] as const;

export const accounts = 200;
export const balance = 1000;
export const stamps = 8;

/** Runs SQL on the primary as the superuser. */
export type RunSql = (sql: string, database?: string) => Promise<unknown>;

const here = schemas.map((schema) => `
  create schema ${schema};
  create table ${schema}.here (who text);
  insert into ${schema}.here values ('${schema}');
  grant usage on schema ${schema} to public;
  grant all on all tables in schema ${schema} to public;`).join('');

/** What an earlier user of a server connection left there. In a function, because a read of the catalog does not leave the primary. */
const left = `select concat_ws('/', current_setting('search_path'), current_setting('timezone') = 'Asia/Tokyo', current_setting('work_mem'), current_setting('statement_timeout'),
  current_user, (select count(*) from pg_prepared_statements), (select count(*) from pg_cursors), (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
  (select count(*) from pg_class where relpersistence = 't' and pg_table_is_visible(oid)))`;

const tables = `
  create table accounts (id int primary key, balance bigint not null, version int not null default 0) with (fillfactor = 50);
  insert into accounts select n, ${balance} from generate_series(1, ${accounts}) n;
  create table notes (session text, k int, v text);
  create index on notes (session);
  create table stamps (id int primary key, version bigint not null) with (fillfactor = 10);
  insert into stamps select n, 0 from generate_series(1, ${stamps}) n;
  create function soak_left() returns text language sql stable as $$ ${left} $$;
  grant all on all tables in schema public to public;
  ${here}`;

/** Makes everything anew on the primary. */
export async function createSchema(run: RunSql): Promise<void> {
  await dropSchema(run);
  await run('create role soak_user login');
  for (const database of databases) {
    await run(`create database ${database}`);
    await run(tables, database);
    await run('vacuum analyze', database);
  }
}

export async function dropSchema(run: RunSql): Promise<void> {
  for (const database of databases) await run(`drop database if exists ${database} with (force)`);
  await run('drop role if exists soak_user');
}
