#!/usr/bin/env node
/** The `watchdog_setup` command: several pgpools in front of one set of servers (reference/commands.md section 9). */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { portText } from './control-scripts.js';
import { SetupError } from './directory.js';
import type { Layout } from './layout.js';
import { readWatchdogOptions, UsageError, type WatchdogSetupOptions, watchdogUsage } from './setup-options.js';
import { closingText, runScript, setUp, startsPgpool } from './setup.js';
import { pgpoolPortOf, watchdogSettings, writeNodeId, writeScriptsForAll } from './watchdog-files.js';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Pgpool 0 comes with the servers, which stay up for the others; they are stopped in the end, by shutdownall. */
async function setUpOne(directory: string, options: WatchdogSetupOptions, pgpool: number, first: Layout | undefined): Promise<Layout> {
  say(`============= setting up pgpool ${pgpool} =============`);
  const own = path.join(directory, `pgpool${pgpool}`);
  mkdirSync(own);
  return setUp({
    directory: own,
    options: { ...options, basePort: pgpoolPortOf(options, pgpool), withoutServers: pgpool > 0, noStop: true },
    environment: first?.programs == null ? process.env : { ...process.env, PGBIN: first.programs.directory },
    ...(first === undefined ? {} : { serversDirectory: first.directory }),
    moreSettings: watchdogSettings(options, process.env['PGSOCKET_DIR'] ?? ''),
    complete: (layout) => writeNodeId(layout, pgpool),
    say,
  });
}

function portsOfAll(layouts: readonly Layout[]): string {
  return layouts.map((layout, pgpool) => `pgpool${pgpool}:\n${portText(layout)}`).join('\n');
}

async function setUpAll(directory: string, options: WatchdogSetupOptions): Promise<void> {
  if (readdirSync(directory).length > 0) throw new SetupError(`${directory} is not empty: run this in an empty directory`);
  writeScriptsForAll(directory, 0);
  const layouts: Layout[] = [];
  try {
    for (let pgpool = 0; pgpool < options.pgpools; pgpool++) {
      layouts.push(await setUpOne(directory, options, pgpool, layouts[0]));
      writeScriptsForAll(directory, layouts.length);
    }
    writeFileSync(path.join(directory, 'README.port'), portsOfAll(layouts));
  } finally {
    if (layouts.length < options.pgpools || !options.noStop) {
      say('stopping everything');
      runScript(directory, 'shutdownall');
    }
  }
  const [first] = layouts;
  if (first !== undefined && !startsPgpool(options)) say(closingText(first));
  say(`To start the whole system, use ${path.join(directory, 'startall')}.`);
  say(`To shutdown the whole system, use ${path.join(directory, 'shutdownall')}.`);
  say('The ports are in README.port.');
  say('Attention: pgloom has no watchdog yet. The pgpools run side by side without knowing of each other; the watchdog\'s');
  say('parameters are in their files, and pgpool says at its start that it does not act on them.');
}

async function main(words: readonly string[]): Promise<number> {
  if (words.includes('-h') || words.includes('--help')) {
    process.stdout.write(watchdogUsage);
    return 0;
  }
  try {
    await setUpAll(process.cwd(), readWatchdogOptions(words, process.env));
    return 0;
  } catch (error) {
    process.stderr.write(`watchdog_setup: ${error instanceof Error ? error.message : String(error)}\n${error instanceof UsageError ? watchdogUsage : ''}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
