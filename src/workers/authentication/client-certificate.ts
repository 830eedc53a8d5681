/** Whether the client's certificate is what the rule wants. That an authority has signed it was checked when TLS began. */
import { certificateWanted } from '../../shared/auth/client-question.js';
import type { HbaRule } from '../../shared/auth/hba.js';
import { errors } from '../../shared/errors.js';
import type { ClientTls } from '../../shared/tls/client-tls.js';
import { LoginRefused } from './login-refused.js';

/** @throws LoginRefused for method cert, and where clientcert is set, when the certificate is missing or another's */
export function checkCertificate(rule: HbaRule, user: string, tls: ClientTls | null): void {
  const wanted = certificateWanted(rule);
  if (wanted === null) return;
  const certificate = tls?.certificate ?? null;
  if (certificate === null) throw new LoginRefused(errors.certificateNeeded(), 'the client has shown no certificate', true);
  if (wanted !== 'verify-full') return;
  const byName = rule.options['clientname'] === 'DN' ? certificate.subject : certificate.commonName;
  // Names of roles that differ in case are names of two roles: Pgpool-II, which compares without case, lets one in for the other.
  if (byName === user) return;
  throw new LoginRefused(errors.certificateFailed(user), `the certificate is of "${byName ?? certificate.subject}", not of user "${user}"`, true);
}
