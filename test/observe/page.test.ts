/** The status page in a real browser. The pictures stay when PGLOOM_SCREENSHOTS names a directory for them. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listQuery, sessionPage } from '../../src/main/observe/http-lists.js';
import { metricsText } from '../../src/main/observe/http-metrics.js';
import { withDirectory } from '../engine/pgpool-command.js';
import { eventually } from '../support/eventually.js';
import { type Pgloom, withClient } from '../support/pgloom.js';
import { browserMissing, type LookOptions, type Page, withPage } from './browser.js';
import { lowContrasts, overflows } from './page-checks.js';
import { pcpLine, withHttp } from './http-pgloom.js';
import { hostileName, sessionCount, startSynthetic, type Synthetic } from './synthetic.js';

const looks: readonly LookOptions[] = (['light', 'dark'] as const).flatMap((theme) => [{ theme, width: 1280 }, { theme, width: 400 }]);

/** Waits until the expression is true. (Playwright's own way of waiting evaluates text, which the page's policy forbids.) */
function holds(page: Page, expression: string): Promise<void> {
  return eventually(expression, () => page.evaluate<boolean>(expression));
}

async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env['PGLOOM_SCREENSHOTS'];
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}

/** What must hold for any picture of the page. */
async function assertSound(page: Page, what: string): Promise<void> {
  assert.deepEqual(await page.evaluate(overflows), [], `${what}: nothing is wider than the screen`);
  assert.deepEqual(await page.evaluate(lowContrasts), [], `${what}: texts can be read`);
  assert.deepEqual(await page.evaluate(`[...document.querySelectorAll('button, input, select')]
    .filter((one) => one.getClientRects().length > 0 && !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.[0]?.textContent.trim())).map((one) => one.outerHTML)`), [], `${what}: controls have names`);
}

function figure(tile: string): string {
  return `document.querySelector('#tile-${tile} .value').textContent`;
}

/** Keeps clients busy until `use` has ended. */
async function underLoad(pgloom: Pgloom, use: () => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const busy = ['shop', 'billing', hostileName].map((application) => withClient(pgloom, async (client) => {
    while (!ending.signal.aborted) {
      await client.query('select count(*) from items');
      await client.query('begin; select 1; commit');
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
  }, { application_name: application }));
  try {
    await use();
  } finally {
    ending.abort();
    await Promise.all(busy);
  }
}

describe('the status page', { skip: browserMissing }, () => {
  it('shows a pgloom under load, live, in both themes and at 400 pixels', async () => {
    await withHttp({}, (pgloom, url) => underLoad(pgloom, async () => {
      for (const look of looks) {
        const what = `${look.theme} at ${look.width}`;
        await withPage(`${url}/`, look, async (page) => {
          await holds(page, `Number(${figure('rate')}.replace(',', '')) > 0 && ${figure('clients')} === '3'`);
          const before = await page.evaluate<string>(figure('rate'));
          await holds(page, `${figure('rate')} !== ${JSON.stringify(before)}`);
          await holds(page, "document.querySelectorAll('#sessions tbody tr').length === 3");
          assert.equal(await page.evaluate("[...document.querySelectorAll('#sessions td')].some((cell) => cell.textContent.startsWith('<script>'))"), true, 'names are texts');
          assert.equal(await page.evaluate('document.title'), 'pgloom');
          await assertSound(page, what);
          await picture(page, `sessions-${look.theme}-${look.width}`);
          for (const tab of ['pools', 'workers']) {
            await page.click(`#tab-${tab}`);
            await holds(page, `document.querySelectorAll('#${tab} tbody td').length > 3`);
            await assertSound(page, `${what}, ${tab}`);
            await picture(page, `${tab}-${look.theme}-${look.width}`);
          }
        });
      }
    }));
  });

  it('changes its theme by a button', async () => {
    await withDirectory(async (directory) => {
      const synthetic = await startSynthetic(directory);
      try {
        await withPage(`http://127.0.0.1:${synthetic.port}/`, { theme: 'light', width: 1280 }, async (page) => {
          const colour = 'getComputedStyle(document.body).backgroundColor';
          const light = await page.evaluate(colour);
          assert.equal(await page.textContent('#theme'), 'Dark');
          await page.click('#theme');
          assert.notEqual(await page.evaluate(colour), light);
          assert.equal(await page.textContent('#theme'), 'Light');
          await page.click('#theme');
          assert.equal(await page.evaluate(colour), light);
        });
      } finally {
        await synthetic.close();
      }
    });
  });

  it('takes a node out of service and back with the password of PCP, and not without', async () => {
    await withHttp({ pcp: pcpLine('boss', 'tr0ub4dor') }, async (_pgloom, url) => {
      // The browser itself reports the refusal to its console: that is the one complaint to be expected.
      const refusal = /^the page complained: Failed to load resource: the server responded with a status of 403 \(Forbidden\)$/;
      await withPage(`${url}/`, { theme: 'light', width: 400 }, async (page) => {
        const badge = (text: string): Promise<unknown> => holds(page, `/^${text}/.test(document.querySelectorAll('#nodes .badge')[1]?.textContent)`);
        await badge('(up|waiting)');
        await page.click('[aria-label="Detach node 1"]');
        await page.fill('#order-user', 'boss');
        await page.fill('#order-password', 'guess');
        await assertSound(page, 'the dialog');
        await picture(page, 'dialog-light-400');
        await page.click('#order-go');
        await holds(page, "document.getElementById('order-problem').textContent === 'User or password is wrong.'");
        await holds(page, "!document.getElementById('order-go').disabled");
        await badge('(up|waiting)');
        await page.fill('#order-password', 'tr0ub4dor');
        await page.click('#order-keep');
        await page.click('#order-go');
        await badge('detached');
        assert.equal(await page.evaluate("document.getElementById('order').open"), false);
        await page.click('[aria-label="Attach node 1"]');
        assert.equal(await page.evaluate("document.getElementById('order-user').value"), 'boss', 'kept as long as the page is open');
        await page.click('#order-go');
        await badge('(up|waiting)');
        assert.deepEqual(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]'), [0, 0, ''], 'and nowhere else');
      }).then(() => assert.fail('the browser reports a refusal'), (error: Error) => assert.match(error.message, refusal));
    });
  });
});

async function assertLarge(synthetic: Synthetic, look: LookOptions): Promise<void> {
  const rows = look.width < 760 ? 20 : 50;
  await withPage(`http://127.0.0.1:${synthetic.port}/`, look, async (page) => {
    await holds(page, `document.querySelectorAll('#nodes tbody tr').length === 128 && document.querySelectorAll('#sessions tbody tr').length === ${rows}`);
    assert.equal(await page.evaluate(figure('clients')), '10,000');
    assert.equal(await page.textContent('#panel-sessions .pager .count'), `1–${rows} of 10,000`);
    synthetic.work();
    await holds(page, `${figure('rate')} !== '0'`);
    await assertSound(page, `${look.theme} at ${look.width}`);
    await picture(page, `large-${look.theme}-${look.width}`);
    await page.click('#panel-sessions .next');
    await holds(page, `document.querySelector('#panel-sessions .pager .count').textContent === '${rows + 1}–${2 * rows} of 10,000'`);
    await page.fill('#session-filter', '<script>');
    await holds(page, "document.querySelector('#panel-sessions .pager .count').textContent === '1–1 of 1 (10,000 in all)'");
    assert.equal(await page.evaluate("document.querySelector('#sessions tbody td:nth-child(5)').textContent"), hostileName);
    assert.equal(await page.evaluate("document.querySelectorAll('#sessions script, #sessions img').length"), 0);
    await page.fill('#session-filter', '');
    await page.selectOption('#session-state', 'idle in transaction');
    await holds(page, `document.querySelector('#panel-sessions .pager .count').textContent === '1–${rows} of 2,500 (10,000 in all)'`);
    await page.fill('#node-filter', 'db-77.');
    await holds(page, "[...document.querySelectorAll('#nodes tbody tr')].filter((row) => !row.hidden).length === 1");
  });
}

describe('with 128 nodes and 10,000 sessions', () => {
  it('the page shows them all, by pages and filters', { skip: browserMissing }, async () => {
    await withDirectory(async (directory) => {
      const synthetic = await startSynthetic(directory);
      try {
        for (const look of looks) await assertLarge(synthetic, look);
      } finally {
        await synthetic.close();
      }
    });
  });

  it('reports are made in slices: others have their turn in the primary thread meanwhile', async (t) => {
    await withDirectory(async (directory) => {
      const synthetic = await startSynthetic(directory);
      const { administration } = synthetic.observed;
      const search = listQuery(new URLSearchParams({ text: 'service_7' }));
      const reports: Readonly<Record<string, () => Promise<unknown>>> = {
        metrics: () => metricsText(synthetic.observed),
        sessions: () => sessionPage(administration.sources().children, search),
      };
      try {
        for (const [name, report] of Object.entries(reports)) {
          const { turns, longestMs } = await turnsDuring(report);
          assert.ok(turns > 0, `${name} let others go on`);
          t.diagnostic(`${name}: ${turns} turns, the longest slice took ${longestMs.toFixed(1)} ms`);
        }
        const found = await sessionPage(administration.sources().children, search);
        assert.equal(found.total, sessionCount);
        assert.equal(found.matched, Math.ceil((sessionCount - 7) / 23));
        for (const path of ['/metrics', '/status.json', '/pools.json?limit=200', '/sessions.json?limit=200']) {
          const body = await (await fetch(`http://127.0.0.1:${synthetic.port}${path}`)).text();
          assert.ok(body.length < 2_000_000, `${path} has ${body.length} bytes`);
        }
      } finally {
        await synthetic.close();
      }
    });
  });
});

/** How often others had their turn while the work went on, and how long they waited at most. */
async function turnsDuring(work: () => Promise<unknown>): Promise<{ turns: number; longestMs: number }> {
  let turns = 0;
  let longestMs = 0;
  let over = false;
  let lastMs = performance.now();
  const turn = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    turns += 1;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  over = true;
  return { turns, longestMs };
}
