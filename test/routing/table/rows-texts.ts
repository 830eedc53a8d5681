/** Texts of several statements, of none, and those that the grammar refuses; what settings say about the text. */
import { differences } from './difference.js';
import { extended, half, primary, reader, rows, after, type Row, type RowGroup } from './row.js';

const several: readonly Row[] = [
  ...rows('primary', [
    'select 1; select 2', 'select 1; insert into scratch values (1)', 'insert into scratch values (1); select 1', 'begin; select 1', 'begin; select 1; commit',
    'select 1; select 2; select 3;', "set work_mem = '5MB'; select 1", 'begin; insert into scratch values (1); rollback', 'select 1; commit', 'create temp table made (); select 1',
    'select 1; select 1/0; select 2', 'show work_mem; select 1', 'listen a; select 1', 'prepare p as select 1; execute p',
  ]),
  ...after(['begin; select 1'], [
    ...rows('primary', ['insert into scratch values (1)', 'commit', 'rollback', 'end']),
    primary('select 1', { pgpool: 'reader', because: differences.openedInString }),
  ]),
  primary('select * from scratch', { before: ['begin; insert into scratch values (1)'] }),
  reader('select 1', { before: ['begin; select 1; commit'] }),
  reader('select 1', { before: ['select 1; select 2'] }),
  reader('select 1', { before: ['insert into scratch values (1); insert into scratch values (2)'] }),
  reader('select 1', { before: ['begin; select 1', 'commit'] }),
  reader('select 1', { before: ['begin; select 1/0', 'rollback'] }),
];

const empty: readonly Row[] = [
  ...rows('reader', ['', ' ', ';', ';;', ' ; ', '\n\n']),
  ...rows('primary', ['-- a comment', '/* a comment */', '/* a */ /* b */', '-- a\n;', '/* a */;']),
];

const unparsable: readonly Row[] = rows('primary', [
  'selekt 1', 'select from from', 'select (1', "select 'no end", 'select 1 2 3 from', 'create', 'insert', 'begin 1', 'update', 'with a as (select 1)',
  'select * fromm items', 'select $$no end', '/* no end', 'show', 'set', '\\d items', 'x', '(select 1', 'select 1 limit limit', 'frobnicate the table',
]);

const comments: readonly Row[] = rows('primary', [
  '/* a */ select 1', '-- a\nselect 1', '/*NO LOAD BALANCE*/ select 1', '/* a */ /* b */ select 1', '/* /* nested */ */ select * from items', '--\n\n select 1', '/**/table items',
  '/* a */ (select 1)', '/* a */ with a as (select 1) select * from a', ' /* a */ select 1',
]);

/** The test of the first character is for SELECT and its relatives. */
const notSelects: readonly Row[] = rows('reader', ['/* a */ show work_mem', '/* a */ copy items to stdout', '-- a\nshow work_mem', '/* a */ copy (select 1) to stdout']);

export const textGroups: readonly RowGroup[] = [
  { topic: 'several statements, none, and what does not parse', rows: [...several, ...empty, ...unparsable, ...comments, ...notSelects, ...extended([...empty, ...half(unparsable), ...comments, ...notSelects])] },
  {
    topic: 'allow_sql_comments',
    settings: { allow_sql_comments: true },
    rows: [
      ...comments.map((row) => ({ ...row, nodes: 'reader' as const })),
      ...extended(comments).map((row) => ({ ...row, nodes: 'reader' as const })),
      ...rows('reader', ['select 1', '-- a comment', '/* a comment */', 'values (1)', '', '-- a\n;', 'copy items to stdout', '/* a */ values (1)']),
      ...notSelects,
      ...rows('primary', ['prepare p as select 1', '/* a */ prepare p as select 1']),
      ...after(['prepare p as select 1'], [reader('execute p', { pgpool: 'primary', because: differences.executeAsQuery }), primary('deallocate p')]),
      ...rows('primary', ['/* a */ insert into scratch values (1)', '/* a */ select * from items for update', '/* a */ select bump()', '/* a */ explain select 1', '/* a */ select 1; select 2']),
    ],
  },
  {
    topic: 'ignore_leading_white_space = off',
    settings: { ignore_leading_white_space: false },
    rows: [
      ...rows('primary', [' select 1', '\tselect 1', '\n select 1', '\r\nselect 1', ' (select 1)', ' with a as (select 1) select * from a', ' table items']),
      ...rows('reader', [' show work_mem', ' copy items to stdout']),
      ...extended(rows('primary', [' select 1', '\n\tselect * from items'])),
      ...rows('reader', ['select 1', '(select 1)', 'select 1 ', 'select\n1']),
    ],
  },
  {
    topic: 'load_balance_mode = off',
    settings: { load_balance_mode: false },
    rows: [
      ...rows('primary', ['select 1', 'select * from items', 'show work_mem', 'copy items to stdout', 'insert into scratch values (1)', '', "set work_mem = '5MB'", 'begin', 'commit', 'discard all']),
      ...rows('primary', ['select 1', 'savepoint a', 'commit', 'lock table scratch in access share mode'], { before: ['begin'] }),
      ...extended(rows('primary', ['select 1', 'begin', 'values (1)'])),
      primary('select 1', { before: ["set work_mem = '5MB'"] }),
    ],
  },
];
