/** The line of pool_hba.conf that decides about a client. */
import type { HbaRule } from '../../shared/auth/hba.js';
import { matchHba, needsHostName } from '../../shared/auth/hba-match.js';
import { errors } from '../../shared/errors.js';
import { LoginRefused } from './login-refused.js';
import { verifiedHostName } from './verified-host-name.js';

export interface HbaCaller {
  readonly transport: 'tcp' | 'unix';
  /** '' for a Unix socket. */
  readonly host: string;
  readonly user: string;
  readonly database: string;
  readonly tls: boolean;
}

/** @throws LoginRefused when no line matches */
export async function findRule(rules: readonly HbaRule[], caller: HbaCaller): Promise<HbaRule> {
  const client = { ...caller, address: caller.host };
  const hostName = needsHostName(rules, client) ? await verifiedHostName(caller.host) : undefined;
  const rule = matchHba(rules, { ...client, ...(hostName !== undefined && { hostName }) });
  if (rule !== null) return rule;
  const error = errors.hbaNoEntry(caller);
  throw new LoginRefused(error, error.detail ?? '', false);
}
