/**
 * One instance of libpg-query, replaced as soon as it fails.
 *
 * A deeply nested statement (1+1+1+… 10,000 times, 20 kB) overflows the JavaScript stack inside the WebAssembly
 * module, which then never gets its own stack pointer back: tried, after 27 such statements every parse fails. So
 * any error but the grammar's own ends the instance's life. While the next one loads (some 20 ms) nothing parses.
 */
import { createRequire } from 'node:module';
import type * as LibpgQuery from 'libpg-query';

let current: typeof LibpgQuery | null = null;
let loading: Promise<void> | null = null;

/** Resolves when this thread can parse. Rejects when the WebAssembly module cannot be loaded. */
export function loadGrammar(): Promise<void> {
  if (current !== null) return Promise.resolve();
  loading ??= load().finally(() => {
    loading = null;
  });
  return loading;
}

async function load(): Promise<void> {
  // The CommonJS build, because its module can be forgotten and loaded anew; a require of our own each time, because
  // a require keeps all that it ever loaded.
  const require = createRequire(import.meta.url);
  delete require.cache[require.resolve('libpg-query')];
  const library = require('libpg-query') as typeof LibpgQuery;
  await library.loadModule();
  current = library;
}

/** False before the first load, and for some milliseconds after an instance had to go. */
export function canParse(): boolean {
  return current !== null;
}

/** The syntax tree, or null when the text does not parse or nothing can be parsed now. */
export function parseTree(text: string): unknown {
  if (current === null) return null;
  try {
    return current.parseSync(text);
  } catch (error) {
    if (!isSyntaxError(error)) replace();
    return null;
  }
}

function isSyntaxError(error: unknown): boolean {
  return error instanceof Error && error.name === 'SqlError';
}

function replace(): void {
  current = null;
  loadGrammar().catch(() => {
    // Stays without a grammar: every text is a write then, and the next failing parse cannot happen.
  });
}
