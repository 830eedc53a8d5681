#!/usr/bin/env node
/** The `pgpool_setup` command: a cluster for tests in the current directory (reference/commands.md section 9). */
import { SetupError } from './directory.js';
import { readSetupOptions, setupUsage, UsageError } from './setup-options.js';
import { closingText, setUp } from './setup.js';

async function main(words: readonly string[]): Promise<number> {
  if (words.includes('-h') || words.includes('--help')) {
    process.stdout.write(setupUsage);
    return 0;
  }
  try {
    const layout = await setUp({
      directory: process.cwd(),
      options: readSetupOptions(words, process.env),
      environment: process.env,
      say: (text) => { process.stdout.write(`${text}\n`); },
    });
    process.stdout.write(closingText(layout));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) process.stderr.write(`pgpool_setup: ${error.message}\n${setupUsage}`);
    else if (error instanceof SetupError) process.stderr.write(`pgpool_setup: ${error.message}\n`);
    else process.stderr.write(`pgpool_setup: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
