/** The whole table, ordered by the settings that a proxy has to be started with. */
import type { Row, RowGroup } from './row.js';
import { commandGroups } from './rows-commands.js';
import { preferenceGroups } from './rows-preferences.js';
import { readGroups } from './rows-reads.js';
import { relationGroups } from './rows-relations.js';
import { textGroups } from './rows-texts.js';
import { transactionGroups } from './rows-transactions.js';
import { userGroups } from './rows-users.js';
import { writeGroups } from './rows-writes.js';

const groups: readonly RowGroup[] = [
  ...readGroups, ...commandGroups, ...textGroups, ...relationGroups, ...transactionGroups, ...writeGroups, ...preferenceGroups, ...userGroups,
];

export const allRows: readonly Row[] = groups.flatMap(({ rows }) => rows);

/** Groups that one start of a proxy serves. */
export interface Start {
  readonly settings: NonNullable<RowGroup['settings']>;
  readonly newerThanOracle: boolean;
  readonly groups: readonly RowGroup[];
}

/** Each set of settings once. */
export const starts: readonly Start[] = [...new Set(groups.map(settingsKey))].map((key) => {
  const same = groups.filter((group) => settingsKey(group) === key);
  return { settings: same[0]?.settings ?? {}, newerThanOracle: same.some(({ newerThanOracle }) => newerThanOracle === true), groups: same };
});

function settingsKey({ settings }: RowGroup): string {
  return JSON.stringify(settings ?? {});
}

/** What a start is called in the tests' names. */
export function describeStart({ settings }: Start): string {
  const names = Object.entries(settings).map(([name, value]) => `${name} = ${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`);
  return names.length === 0 ? 'with no other settings' : `with ${names.join(', ')}`;
}
