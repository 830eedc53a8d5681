/** Configuration files in a directory that is gone when the test is over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { ConfigError, type ConfigIssue } from '../../src/main/config/errors.js';
import { loadConfig } from '../../src/main/config/load.js';

export function scratchDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'pgloom-config-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes pgpool.conf into a new directory and returns its path. */
export function configFile(t: TestContext, text: string): string {
  const file = path.join(scratchDirectory(t), 'pgpool.conf');
  writeFileSync(file, text);
  return file;
}

/** The faults that loading a file throws; none when it loads. */
export function faultsOf(file: string): readonly ConfigIssue[] {
  try {
    loadConfig(file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}
