/** Statements that are too long, too deep or have too many items: for the bench of stalls and for the tests. */

const megabyte = 1 << 20;

/** `length` items with commas between them. */
export function listOf(length: number, item: (n: number) => string): string {
  return Array.from({ length }, (_, n) => item(n)).join(', ');
}

/** As many copies as fit into so many bytes. */
function filling(sizeBytes: number, piece: string): string {
  return piece.repeat(Math.floor(sizeBytes / piece.length));
}

function nested(depth: number, before: string, middle: string, after: string): string {
  return before.repeat(depth) + middle + after.repeat(depth);
}

/** By name. */
export const largeStatements: Readonly<Record<string, string>> = {
  'INSERT VALUES, 1 MB': `insert into t values ${filling(megabyte, "(1,'abc',2.5),")}(1,'a',2)`,
  'INSERT, one string of 1 MB': `insert into t values ('${'x'.repeat(megabyte)}')`,
  'IN list, 100,000 numbers': `select * from t where a in (${listOf(100_000, (n) => String(n * 7))})`,
  'IN list, 100,000 strings': `select * from t where a in (${listOf(100_000, (n) => `'k${n}'`)})`,
  'function body, 1 MB': `create function f() returns int language sql as $$ ${filling(megabyte, 'select 1; ')} $$`,
  'nested parentheses, 1 MB': `select ${nested(megabyte / 2, '(', '1', ')')}`,
  'garbage, 1 MB': filling(megabyte, 'x ; = !! foo '),
  'comments, 1 MB': `${filling(megabyte, '/* a */ ')}select 1`,
  'quoted names, 1 MB': `select ${filling(megabyte, '"a",')}b`,
  'open dollar quotes, 1 MB': `select ${filling(megabyte, '$a ')}`,
  'IN list, 10,000 numbers': `select * from t where a in (${listOf(10_000, String)})`,
  'INSERT VALUES, 60 kB': `insert into t values ${filling(60_000, "(1,'abc',2.5),")}(1,'a',2)`,
  'columns, 60 kB': `select ${filling(60_000, 'abc, ')}b from t`,
  'statements, 60 kB': filling(60_000, 'select 1;'),
  'calls, 60 kB': `select ${filling(60_000, 'f(), ')}1`,
  'CREATE TABLE, 60 kB': `create table t (${listOf(2500, (n) => `c${n} integer not null`)})`,
  'ARRAY, 10,000 numbers': `select array[${listOf(10_000, String)}]`,
  'one item below the limit: ARRAY': `select array[${listOf(4080, String)}]`,
  'just below the limit: statements': 'select 1;'.repeat(2700),
  'just below the limit: columns': `select ${'abc, '.repeat(4000)}b from t`,
  'just below the limit: calls': `select ${'f(a), '.repeat(1600)}1`,
  'just below the limit: ANDs': `select 1 from t where ${'a and '.repeat(4000)}a`,
  'just below the limit: UNIONs': `${'select 1 union '.repeat(2700)}select 1`,
  'just below the limit: common table expressions': `with ${listOf(1000, (n) => `c${n} as (select a${n})`)} select 1`,
  'just below the limit: reads of common table expressions': `with ${listOf(600, (n) => `c${n} as (select 1)`)} select 1 from ${listOf(1100, (n) => `t${n} a`)}`,
};

export const deepStatements: Readonly<Record<string, string>> = {
  '10,000 ANDs': `select 1 from t where ${'a and '.repeat(10_000)}a`,
  '4,000 ANDs': `select 1 from t where ${'a and '.repeat(4000)}a`,
  '10,000 UNIONs': `${'select 1 union '.repeat(10_000)}select 1`,
  '2,700 UNIONs': `${'select 1 union '.repeat(2700)}select 1`,
  '10,000 sums': `select ${'1+'.repeat(10_000)}1`,
  '4,000 sums': `select ${'1+'.repeat(4000)}1`,
  '10,000 NOTs': `select ${'not '.repeat(10_000)}a`,
  '8,000 NOTs': `select ${'not '.repeat(8000)}a`,
  '8,000 minus signs': `select ${'- '.repeat(8000)}a`,
  '10,000 parentheses': `select ${nested(10_000, '(', '1', ')')}`,
  '4,000 parentheses': `select ${nested(4000, '(', '1', ')')}`,
  '2,700 subqueries': `select ${nested(2700, '(select ', '1', ')')}`,
  '2,700 calls': `select ${nested(2700, 'f(', '1', ')')}`,
  '1,600 CASEs': `select ${nested(1600, 'case when a then ', '1', ' end')}`,
  '1,300 subqueries in FROM': `select 1 from ${nested(1300, '(select 1 from ', 't', ') a')}`,
  '1,100 joins': `select 1 from t${' join u using (a)'.repeat(1100)}`,
  '2,700 arrays': `select ${nested(2700, 'array[', '1', ']')}`,
  '2,700 casts': `select a${'::int'.repeat(2700)}`,
  '900 common table expressions': nested(900, 'with a as (', 'select 1', ') select 1'),
};
