/** `pgpool check-auth`: what would happen when a user logs in, step by step and without a running pgpool. */
import { promptPassword } from '../cli/pcp/password/prompt.js';
import { backendTls } from '../../shared/tls/backend-tls.js';
import { clientReport } from './check-auth/client-report.js';
import { lookForDatabase } from './check-auth/database.js';
import { type Files, readFiles } from './check-auth/files.js';
import { askNodes } from './check-auth/nodes.js';
import type { CheckAuthLine } from './check-auth/options.js';
import { originsOf } from './check-auth/origin.js';
import { type CheckAuthReport, type ClientReport, type Finding, reportJson, reportText } from './check-auth/report.js';
import { findStored } from './check-auth/stored.js';

/** The files are faulty: pgpool would not start with them. */
const faultyFiles = 2;

/** The report goes to standard output. @returns the exit status: 0 the login works, 1 it does not, 2 the files are faulty */
export async function checkAuthCommand(line: CheckAuthLine): Promise<number> {
  const { files, findings } = await readFiles(line);
  const report = files === null ? failed(line, findings) : await examine(line, files, findings);
  process.stdout.write(line.json ? reportJson(report) : reportText(report));
  if (files === null) return faultyFiles;
  return report.works ? 0 : 1;
}

function failed({ user, database }: CheckAuthLine, findings: readonly Finding[]): CheckAuthReport {
  return { user, database, findings, clients: [], works: false, verdict: 'pgpool does not start with these files' };
}

async function examine(line: CheckAuthLine, files: Files, fileFindings: readonly Finding[]): Promise<CheckAuthReport> {
  const { user, database } = line;
  const password = line.askPassword ? await promptPassword() : null;
  const tls = backendTls(files.access.tls.backend);
  const { nodes, primary: primaryFinding } = await askNodes(files, tls, user, database);
  const reached = nodes.filter(({ answer }) => answer.kind !== 'silent');
  const primary = (reached.find(({ isNeeded }) => isNeeded) ?? reached[0])?.target.backend ?? null;
  const stored = await findStored(files, user, primary, tls);
  const seen = await lookForDatabase(files, user, database, primary, tls);
  // One after the other: with -W each of them logs in.
  const clients: ClientReport[] = [];
  const origins = originsOf(line, files.settings, files.access.tls.server !== null);
  for (const origin of origins) clients.push(await clientReport({ files, user, origin, stored, database: seen, password }, database, nodes));
  // With TLS or without: a client tries both.
  const isWell = (['unix', 'tcp'] as const).every((transport) => origins.every((origin) => origin.transport !== transport)
    || clients.some(({ works }, at) => works && origins[at]?.transport === transport));
  return {
    user, database, clients,
    findings: [...fileFindings, ...stored.findings, ...nodes.map(({ finding }) => finding), ...primaryFinding === null ? [] : [primaryFinding], ...seen === null ? [] : [seen]],
    works: clients.length > 0 && isWell,
    verdict: summary(clients, isWell),
  };
}

function summary(clients: readonly ClientReport[], isWell: boolean): string {
  const [good, bad] = [true, false].map((which) => clients.filter(({ works }) => works === which).map(({ from }) => from).join(' and ')) as [string, string];
  if (clients.length === 0) return 'nobody can log in: listen_addresses and unix_socket_directories are both empty';
  if (bad === '') return `the login works by ${good}`;
  if (isWell) return `the login works by ${good}, and fails by ${bad}`;
  return good === '' ? `the login fails by ${bad}` : `the login fails by ${bad}, and works by ${good}`;
}
