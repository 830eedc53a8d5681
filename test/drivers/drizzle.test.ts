/** The ORM Drizzle over the driver `pg`: migrations, relations, transactions. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TransactionRollbackError, and, count, eq, gt, inArray, like, relations, sql } from 'drizzle-orm';
import { type NodePgDatabase, drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { bigint, boolean, integer, jsonb, numeric, pgSchema, text, timestamp } from 'drizzle-orm/pg-core';
import { Pool } from 'pg';
import { type Target, targetNames, waitForReplay, withTarget } from './targets.js';

function tablesIn(schema: string) {
  const own = pgSchema(schema);
  const authors = own.table('authors', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull().unique(),
    about: jsonb().$type<{ tags: string[] }>(),
  });
  const books = own.table('books', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    authorId: integer('author_id').notNull().references(() => authors.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    price: numeric({ precision: 10, scale: 2 }),
    sold: bigint({ mode: 'bigint' }).notNull().default(0n),
    inPrint: boolean('in_print').notNull().default(true),
    published: timestamp({ withTimezone: true }),
  });
  const authorsRelations = relations(authors, ({ many }) => ({ books: many(books) }));
  const booksRelations = relations(books, ({ one }) => ({ author: one(authors, { fields: [books.authorId], references: [authors.id] }) }));
  return { authors, books, authorsRelations, booksRelations };
}
type Tables = ReturnType<typeof tablesIn>;
type Database = NodePgDatabase<Tables>;

/** A migrations folder as drizzle-kit writes it: the SQL files and a journal. */
function writeMigrations(folder: string, schema: string, migrations: readonly (readonly string[])[]): void {
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const entries = migrations.map((statements, idx) => {
    const tag = `000${idx}_step`;
    writeFileSync(join(folder, `${tag}.sql`), statements.map((statement) => statement.replaceAll('SCHEMA', schema)).join('\n--> statement-breakpoint\n'));
    return { idx, version: '7', when: 1_700_000_000_000 + idx, tag, breakpoints: true };
  });
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }));
}

const first = [
  'CREATE TABLE "SCHEMA"."authors" ("id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, "name" text NOT NULL CONSTRAINT "authors_name_unique" UNIQUE, "about" jsonb);',
  `CREATE TABLE "SCHEMA"."books" ("id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, "author_id" integer NOT NULL, "title" text NOT NULL,
     "price" numeric(10, 2), "sold" bigint DEFAULT 0 NOT NULL, "published" timestamp with time zone);`,
  'ALTER TABLE "SCHEMA"."books" ADD CONSTRAINT "books_author_fk" FOREIGN KEY ("author_id") REFERENCES "SCHEMA"."authors"("id") ON DELETE cascade;',
];
const second = [
  'ALTER TABLE "SCHEMA"."books" ADD COLUMN "in_print" boolean DEFAULT true NOT NULL;',
  'CREATE INDEX "books_title" ON "SCHEMA"."books" ("title");',
];
const broken = ['CREATE TABLE "SCHEMA"."half" (n int);', 'ALTER TABLE "SCHEMA"."no_such_table" ADD COLUMN n int;'];

interface Bench { readonly db: Database; readonly tables: Tables; readonly target: Target; readonly folder: string }

for (const name of targetNames) {
  test(`Drizzle: ${name}`, (context) => withTarget(name, async (target) => {
    const pool = new Pool({ connectionString: target.uri, max: 6 });
    const folder = mkdtempSync(join(tmpdir(), 'pgloom-drizzle-'));
    try {
      const tables = tablesIn(target.schema);
      await scenario(context, { db: drizzle(pool, { schema: tables }), tables, target, folder });
    } finally {
      await pool.end();
      rmSync(folder, { recursive: true, force: true });
    }
  }));
}

async function scenario(context: TestContext, bench: Bench): Promise<void> {
  await context.test('migrations: all, only the new one, none, and one that fails', () => migrations(bench));
  await context.test('insert, select, update, delete and upsert', () => rows(bench));
  await context.test('relations and joins', () => relationsAndJoins(bench));
  await context.test('a transaction sees its own writes and is rolled back by an error', () => transactions(bench));
  await context.test('nested transactions are savepoints', () => nested(bench));
  await context.test('transactions with an isolation level and read only', () => isolation(bench));
  await context.test('prepared queries', () => prepared(bench));
  await context.test('many queries at once over the pool', () => atOnce(bench));
  await context.test('reads of a pool run where they should', () => readers(bench));
}

async function migrations({ db, target, folder }: Bench): Promise<void> {
  const config = { migrationsFolder: folder, migrationsSchema: target.schema, migrationsTable: 'steps' };
  const steps = async (): Promise<number> => Number((await db.execute<{ n: string }>(sql.raw(`select count(*) as n from ${target.schema}.steps`))).rows[0]?.n);
  writeMigrations(folder, target.schema, [first]);
  await migrate(db, config);
  // The migrator reads its own table before it writes: as every application it has to wait for the standby.
  await waitForReplay();
  assert.equal(await steps(), 1);
  writeMigrations(folder, target.schema, [first, second]);
  await migrate(db, config);
  await waitForReplay();
  await migrate(db, config);
  assert.equal(await steps(), 2);
  writeMigrations(folder, target.schema, [first, second, broken]);
  await assert.rejects(migrate(db, config), (error: Error) => (error.cause as { code?: string }).code === '42P01');
  assert.equal(await steps(), 2);
  const half = await db.execute<{ there: boolean }>(sql`select to_regclass(${`${target.schema}.half`}) is not null as there`);
  assert.deepEqual(half.rows, [{ there: false }]);
}

async function rows({ db, tables: { authors, books } }: Bench): Promise<void> {
  const written = await db.insert(authors).values([{ name: 'Anna', about: { tags: ['a', 'ä'] } }, { name: 'Bert' }, { name: 'Cora' }]).returning();
  assert.deepEqual(written.map(({ name, about }) => ({ name, about })), [{ name: 'Anna', about: { tags: ['a', 'ä'] } }, { name: 'Bert', about: null }, { name: 'Cora', about: null }]);
  const published = new Date('2024-02-29T23:59:59.123Z');
  const authorId = written[0]?.id ?? 0;
  await db.insert(books).values(Array.from({ length: 50 }, (_, n) => ({ authorId, title: `book ${n}`, price: `${n}.50`, sold: 2n ** 40n + BigInt(n), published })));
  await waitForReplay();
  const [found] = await db.select().from(books).where(eq(books.title, 'book 7'));
  assert.deepEqual({ ...found, id: 0 }, { id: 0, authorId, title: 'book 7', price: '7.50', sold: 2n ** 40n + 7n, inPrint: true, published });
  const changed = await db.update(books).set({ inPrint: false }).where(gt(books.price, '40')).returning({ title: books.title });
  assert.equal(changed.length, 10);
  assert.equal((await db.delete(books).where(eq(books.inPrint, false))).rowCount, 10);
  const [upserted] = await db.insert(authors).values({ name: 'Bert', about: { tags: ['new'] } })
    .onConflictDoUpdate({ target: authors.name, set: { about: { tags: ['again'] } } }).returning();
  assert.deepEqual(upserted?.about, { tags: ['again'] });
  await assert.rejects(db.insert(authors).values({ name: 'Anna' }), (error: Error) => (error.cause as { code?: string }).code === '23505');
  await waitForReplay();
  assert.equal(await db.$count(books), 40);
}

async function relationsAndJoins({ db, tables: { authors, books } }: Bench): Promise<void> {
  const anna = await db.query.authors.findFirst({ where: eq(authors.name, 'Anna'), with: { books: { limit: 3, orderBy: (book, { asc }) => asc(book.id) } } });
  assert.deepEqual(anna?.books.map(({ title }) => title), ['book 0', 'book 1', 'book 2']);
  const [book] = await db.query.books.findMany({ where: eq(books.title, 'book 5'), with: { author: { columns: { name: true } } } });
  assert.deepEqual(book?.author, { name: 'Anna' });
  const counts = await db.select({ name: authors.name, books: count(books.id) }).from(authors)
    .leftJoin(books, eq(books.authorId, authors.id)).groupBy(authors.id).orderBy(authors.name);
  assert.deepEqual(counts, [{ name: 'Anna', books: 40 }, { name: 'Bert', books: 0 }, { name: 'Cora', books: 0 }]);
  const cheap = db.$with('cheap').as(db.select().from(books).where(and(like(books.title, 'book %'), gt(books.price, '37'))));
  assert.equal((await db.with(cheap).select().from(cheap)).length, 3);
  const gone = db.$with('gone').as(db.delete(books).where(inArray(books.title, ['book 38', 'book 39'])).returning());
  assert.equal((await db.with(gone).select({ title: gone.title }).from(gone)).length, 2);
}

async function transactions({ db, tables: { authors } }: Bench): Promise<void> {
  const names = async (from: Pick<Database, 'select'>): Promise<string[]> => (await from.select().from(authors).orderBy(authors.name)).map(({ name }) => name);
  const before = await names(db);
  await assert.rejects(db.transaction(async (tx) => {
    assert.deepEqual(await names(tx), before);
    await tx.insert(authors).values({ name: 'Zoe' });
    assert.deepEqual(await names(tx), [...before, 'Zoe']);
    assert.deepEqual(await names(db), before);
    tx.rollback();
  }), TransactionRollbackError);
  await assert.rejects(db.transaction(async (tx) => {
    await tx.select().from(authors);
    await tx.execute(sql`select 1 / ${0}::int`);
  }), (error: Error) => (error.cause as { code?: string }).code === '22012');
  assert.deepEqual(await names(db), before);
  const id = await db.transaction(async (tx) => {
    const [zoe] = await tx.insert(authors).values({ name: 'Zoe' }).returning();
    await tx.update(authors).set({ about: { tags: ['late'] } }).where(eq(authors.id, zoe?.id ?? 0));
    assert.deepEqual((await tx.query.authors.findFirst({ where: eq(authors.name, 'Zoe') }))?.about, { tags: ['late'] });
    return zoe?.id ?? 0;
  });
  await waitForReplay();
  assert.equal((await db.select().from(authors).where(eq(authors.id, id)))[0]?.name, 'Zoe');
  await db.delete(authors).where(eq(authors.id, id));
  await waitForReplay();
}

async function nested({ db, tables: { authors } }: Bench): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.insert(authors).values({ name: 'outer' });
    await assert.rejects(tx.transaction(async (inner) => {
      await inner.insert(authors).values({ name: 'inner' });
      await inner.insert(authors).values({ name: 'outer' });
    }), (error: Error) => (error.cause as { code?: string }).code === '23505');
    await tx.transaction(async (inner) => {
      await inner.insert(authors).values({ name: 'inner 2' });
      await assert.rejects(inner.transaction(async (innermost) => {
        await innermost.delete(authors);
        assert.equal(await innermost.$count(authors), 0);
        innermost.rollback();
      }), TransactionRollbackError);
    });
    assert.equal(await tx.$count(authors, inArray(authors.name, ['outer', 'inner', 'inner 2'])), 2);
  });
  await waitForReplay();
  assert.equal(await db.$count(authors, inArray(authors.name, ['outer', 'inner', 'inner 2'])), 2);
}

async function isolation({ db, tables: { authors } }: Bench): Promise<void> {
  for (const isolationLevel of ['read committed', 'repeatable read', 'serializable'] as const) {
    await db.transaction(async (tx) => {
      const { rows } = await tx.execute<{ level: string }>(sql`select current_setting('transaction_isolation') as level`);
      assert.deepEqual(rows, [{ level: isolationLevel }]);
      assert.ok(await tx.$count(authors) > 0);
    }, { isolationLevel });
  }
  await assert.rejects(db.transaction(async (tx) => {
    assert.ok(await tx.$count(authors) > 0);
    await tx.insert(authors).values({ name: 'refused' });
  }, { accessMode: 'read only' }), (error: Error) => (error.cause as { code?: string }).code === '25006');
}

async function prepared({ db, tables: { authors, books } }: Bench): Promise<void> {
  const byTitle = db.select({ title: books.title, author: authors.name }).from(books)
    .innerJoin(authors, eq(authors.id, books.authorId)).where(eq(books.title, sql.placeholder('title'))).prepare('book_by_title');
  const rename = db.update(books).set({ published: null }).where(eq(books.title, sql.placeholder('title'))).prepare('forget_date');
  for (let n = 0; n < 12; n++) {
    assert.deepEqual(await byTitle.execute({ title: `book ${n}` }), [{ title: `book ${n}`, author: 'Anna' }]);
    assert.equal((await rename.execute({ title: `book ${n}` })).rowCount, 1);
  }
}

async function atOnce({ db, tables: { authors, books } }: Bench): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 120 }, async (_, n) => {
    if (n % 5 === 0) {
      return db.transaction(async (tx) => {
        await tx.insert(authors).values({ name: `at once ${n}` });
        return (await tx.select().from(authors).where(eq(authors.name, `at once ${n}`)))[0]?.name;
      });
    }
    return (await db.select().from(books).where(eq(books.title, `book ${n % 30}`)))[0]?.title;
  }));
  assert.deepEqual(answers, Array.from({ length: 120 }, (_, n) => (n % 5 === 0 ? `at once ${n}` : `book ${n % 30}`)));
  await waitForReplay();
  assert.equal(await db.$count(authors, like(authors.name, 'at once %')), 24);
}

async function readers({ db, tables: { authors }, target }: Bench): Promise<void> {
  const port = sql<number>`current_setting('port')::int`;
  for (let n = 0; n < 10; n++) {
    const [row] = await db.select({ port }).from(authors).limit(1);
    if (target.reads !== 'any') assert.equal(row?.port === target.primaryPort, target.reads === 'primary');
    const inTransaction = await db.transaction(async (tx) => (await tx.select({ port }).from(authors).limit(1))[0]?.port);
    if (target.reads !== 'any') assert.equal(inTransaction === target.primaryPort, target.reads === 'primary');
  }
}
