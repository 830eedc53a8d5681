/** Message scripts whose transcript has to be the same through pgloom as from the server itself. */
import { commands } from './scripts/commands.js';
import { copies } from './scripts/copies.js';
import { found } from './scripts/found.js';
import { names } from './scripts/names.js';
import { nodes } from './scripts/nodes.js';
import { orders } from './scripts/orders.js';
import { portals } from './scripts/portals.js';
import { reads } from './scripts/reads.js';
import type { Script } from './scripts/script.js';
import { settings } from './scripts/settings.js';
import { transactions } from './scripts/transactions.js';
import { values } from './scripts/values.js';
import { writes } from './scripts/writes.js';

export type { Script } from './scripts/script.js';

export const scripts: readonly Script[] = [
  ...reads, ...writes, ...orders, ...portals, ...nodes, ...names, ...settings, ...transactions, ...copies, ...values, ...commands, ...found,
];
