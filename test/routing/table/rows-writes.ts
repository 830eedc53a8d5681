/** What a write does to the reads after it, by disable_load_balance_on_write. */
import { differences } from './difference.js';
import { rows, type Row, type RowGroup } from './row.js';

const insert = 'insert into scratch values (1)';

/** Where reads go after a write: in its transaction, in the next one, and outside of transactions. */
interface AfterWrite { readonly inTransaction: 'primary' | 'reader'; readonly nextTransaction: 'primary' | 'reader'; readonly outside: 'primary' | 'reader' }

function afterWrites({ inTransaction, nextTransaction, outside }: AfterWrite): Row[] {
  const read = 'select * from items';
  return [
    ...rows(inTransaction, [read, 'select 1', 'copy items to stdout'], { before: ['begin', insert] }),
    ...rows(inTransaction, [read], { before: ['begin', 'select 1', insert] }),
    ...rows(inTransaction, [read], { before: ['begin', { extended: insert }] }),
    ...rows(inTransaction, [{ extended: read }], { before: ['begin', { extended: insert }] }),
    ...rows(inTransaction, [{ execute: 'p', of: read }], { before: [{ parse: read, name: 'p' }, 'begin', insert] }),
    ...rows('primary', [read], { before: ['begin', 'select bump()'], ...(inTransaction === 'reader' ? { pgpool: 'reader', because: differences.unfollowed } : {}) }),
    ...rows(inTransaction, [read], { before: ['begin', 'select random()'] }),
    ...rows(inTransaction, [read], { before: ['begin', 'select * from items for update'] }),
    ...rows(inTransaction, [read], { before: ['begin', 'truncate emptied'] }),
    ...rows(inTransaction, [read], { before: ['begin', 'listen a'] }),
    ...rows(inTransaction, [read], { before: ['begin', 'copy scratch from stdin'] }),
    ...rows(nextTransaction, [read], { before: ['begin', insert, 'commit', 'begin'] }),
    ...rows(nextTransaction, [{ extended: read }], { before: ['begin', insert, 'commit', 'begin'] }),
    ...rows(nextTransaction, [read], { before: ['begin', insert, 'rollback', 'begin'] }),
    ...rows(outside, [read, { extended: read }], { before: ['begin', insert, 'commit'] }),
    ...rows(outside === 'primary' ? 'primary' : 'reader', [read, { extended: read }], { before: [insert] }),
    ...rows(outside === 'primary' ? 'primary' : 'reader', [read], { before: [insert, 'begin'] }),
    ...rows('reader', [read], { before: ['begin', read, 'commit'] }),
    ...rows('reader', [read], { before: ['begin', 'begin'] }),
    ...rows('reader', [read], { before: ['select random()'].slice(outside === 'primary' ? 1 : 0) }),
  ];
}

export const writeGroups: readonly RowGroup[] = [
  { topic: 'disable_load_balance_on_write = transaction', rows: afterWrites({ inTransaction: 'primary', nextTransaction: 'reader', outside: 'reader' }) },
  { topic: 'disable_load_balance_on_write = trans_transaction', settings: { disable_load_balance_on_write: 'trans_transaction' }, rows: afterWrites({ inTransaction: 'primary', nextTransaction: 'primary', outside: 'reader' }) },
  { topic: 'disable_load_balance_on_write = always', settings: { disable_load_balance_on_write: 'always' }, rows: afterWrites({ inTransaction: 'primary', nextTransaction: 'primary', outside: 'primary' }) },
  { topic: 'disable_load_balance_on_write = off', settings: { disable_load_balance_on_write: 'off' }, rows: afterWrites({ inTransaction: 'reader', nextTransaction: 'reader', outside: 'reader' }) },
];
