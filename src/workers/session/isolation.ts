/**
 * A session whose transactions are above READ COMMITTED by default: they must not be spread over nodes with a snapshot
 * each, and a standby refuses SERIALIZABLE altogether.
 */
import type { SettingInPlan } from '../sql/plan.js';

const parameter = 'default_transaction_isolation';

/** Do the startup parameters ask for it? (What ALTER ROLE or ALTER DATABASE says is not seen here.) */
export function startsIsolated(parameters: readonly (readonly [string, string])[]): boolean {
  return parameters.some(([name, value]) => name.toLowerCase() === parameter || (name === 'options' && /default[-_]transaction[-_]isolation/i.test(value)));
}

/** May the SET change it? Going back to READ COMMITTED counts, too: nobody does that often. */
export function setsIsolation({ key }: SettingInPlan): boolean {
  return key === parameter || (key.startsWith('session characteristics ') && key.includes('transaction_isolation'));
}
