/**
 * A session whose transactions are above READ COMMITTED by default: they must not be spread over nodes with a snapshot
 * each, and a standby refuses SERIALIZABLE altogether.
 */
import type { SettingInPlan } from '../sql/plan.js';

const parameter = 'default_transaction_isolation';

/** Does the session begin so, by its startup parameters, ALTER ROLE or ALTER DATABASE? @param isolation as a link's login found it */
export function startsIsolated(isolation: string): boolean {
  return isolation !== '' && isolation !== 'read committed' && isolation !== 'read uncommitted';
}

/** READ COMMITTED said in one of the usual ways, and nothing else. (READ UNCOMMITTED is the same to PostgreSQL.) */
const readCommitted = /^\s*set\s+(?:(?:session\s+)?default_transaction_isolation\s*(?:=|\sto\s)\s*'read (?:un)?committed'|session\s+characteristics\s+as\s+transaction\s+isolation\s+level\s+read\s+(?:un)?committed)\s*;?\s*$/i;

/** May the SET bring another level than READ COMMITTED? */
export function setsIsolation({ key, text }: SettingInPlan): boolean {
  if (readCommitted.test(text)) return false;
  return key === parameter || (key.startsWith('session characteristics ') && key.includes('transaction_isolation'));
}
