/** The column of Pgpool-II in the table: what Debian's does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPgpool2 } from '../support/pgpool2.js';
import { commonForms, databaseOf, setUps, subjectsOf, userOf } from './axes.js';
import { complaints, loginOf, tryWithPsql } from './psql-cells.js';
import { noPsql, psqlLogins } from './psql-logins.js';
import { Stage } from './stage.js';
import { differences, differingCells, verdictOf } from './table.js';

test('every cell in which pgloom differs from Pgpool-II has its reason, and no other has', () => {
  assert.deepEqual(differingCells(commonForms).toSorted(), Object.keys(differences).toSorted());
});

test('the table says of Pgpool-II what Debian\'s does', { skip: noPgpool2 || noPsql, timeout: 120_000 }, async () => {
  const stage = await Stage.open();
  try {
    await stage.withPgpool2(async (proxies) => {
      // TLS has been seen to make no difference but for certificates: one stored form shows it in all methods.
      const subjects = setUps.flatMap((setUp) => subjectsOf(setUp, commonForms))
        .filter(({ client, stored, tls }) => !tls || client === 'cert' || stored === 'TEXT');
      assert.deepEqual(complaints(await tryWithPsql(stage, proxies, subjects, stage.home), (subject) => verdictOf('pgpool2', subject)), []);
      await oldPasswordsLiveOn(stage, proxies.rules.port);
    });
  } finally {
    await stage.close();
  }
});

/** What pgloom must not do: see "a changed password" in pgloom.test.ts. */
async function oldPasswordsLiveOn(stage: Stage, port: number): Promise<void> {
  const subject = { client: 'password', server: 'scram', stored: 'none', tls: false } as const;
  const user = userOf(subject.server, subject.stored);
  const right = loginOf(stage, port, subject, 'right');
  assert.deepEqual((await psqlLogins(stage.home, [right])).map((outcome) => outcome.user), [user]);
  await stage.server.setPasswords(new Map([[user, 'changed']]));
  const [old, changed] = await psqlLogins(stage.home, [right, { ...right, database: databaseOf('password'), password: 'changed' }]);
  assert.deepEqual([old?.user, changed?.user], [user, null], 'who knows the password that a pooled link was opened with is let in, and who knows the new one is not');
}
