/** Carries out what a session asks of pgloom itself. */
import { errors, PgError } from '../../shared/errors.js';
import { type ShownParameter, shownParameters } from '../../shared/parameters/shown-value.js';
import { backendStats } from '../../shared/report/backend-stats.js';
import { healthCheckStats } from '../../shared/report/health-check-stats.js';
import { poolCache } from '../../shared/report/pool-cache.js';
import { poolNodes } from '../../shared/report/pool-nodes.js';
import { poolPools } from '../../shared/report/pool-pools.js';
import { poolProcesses } from '../../shared/report/pool-processes.js';
import { poolStatus } from '../../shared/report/pool-status.js';
import type { LinkRow } from '../../shared/report/link-row.js';
import { type ReportTable, reportTable } from '../../shared/report/report-table.js';
import type { ReportSources } from '../../shared/report/sources.js';
import { version } from '../../shared/version.js';
import type { Session } from '../session/session.js';
import type { PgpoolCommand, PoolReport } from '../sql/own-command.js';
import type { OwnAnswer } from './own-answer.js';

/**
 * The answer to a command, or null while the rows of other workers are being fetched: `ready` is called when they are there, and
 * the command is then to be asked again. Nothing is changed yet: see OwnAnswer.change.
 */
export function ownAnswer(session: Session, command: PgpoolCommand, ready: () => void): OwnAnswer | null {
  switch (command.type) {
    case 'report': {
      const table = report(session, command.report, ready);
      return table === null ? null : { type: 'rows', table };
    }
    case 'show':
      return show(session, command.name);
    case 'set':
      return change(session, 'SET', command.name, command.value);
    case 'reset':
      return command.name === null ? { type: 'done', tag: 'RESET', change: () => session.resetParameters() } : change(session, 'SET', command.name, null);
    case 'deleteCache':
      return { type: 'done', tag: 'SET', notice: `query cache does not exist for query: "${command.statement}"` };
    case 'wrong':
      return { type: 'error', error: new PgError('ERROR', '42601', command.near === '' ? 'syntax error at end of input' : `syntax error at or near "${command.near}"`) };
  }
}

function report(session: Session, name: PoolReport, ready: () => void): ReportTable | null {
  const { worker, settings } = session;
  const sources: ReportSources = { settings, nodes: worker.nodes, children: worker.childTable, workers: worker.workerTable, health: worker.health };
  switch (name) {
    case 'pool_nodes':
      return poolNodes(sources, session.traffic.router.loadBalanceNode);
    case 'pool_processes':
      return poolProcesses(sources);
    case 'pool_status':
      return poolStatus(sources);
    case 'pool_version':
      return reportTable(['pool_version'], [[version]]);
    case 'pool_cache':
      return poolCache();
    case 'pool_health_check_stats':
      return healthCheckStats(sources);
    case 'pool_backend_stats':
      return backendStats(sources);
    case 'pool_pools': {
      const links = worker.poolRows.take(session, ready);
      return links === null ? null : poolPools(sources, links.map((link) => shownTo(session, link)));
    }
  }
}

/** A statement may hold what others must not see: as in pg_stat_activity it is shown to its own user. */
function shownTo(session: Session, link: LinkRow): LinkRow {
  return link.user === session.entry.as.user ? link : { ...link, statement: '' };
}

/** With what has been changed and is not answered yet. */
function show({ parameters }: Session, name: string): OwnAnswer {
  const settings = parameters.current;
  const found = shownParameters(settings, name);
  if (found === null) return { type: 'error', error: errors.unknownParameter(name) };
  if (isOne(found)) return { type: 'rows', table: reportTable([name], [[found.value]]) };
  return { type: 'rows', table: reportTable(['item', 'value', 'description'], found.map((one) => [one.name, one.value, one.description])) };
}

function isOne(found: ShownParameter | readonly ShownParameter[]): found is ShownParameter {
  return !Array.isArray(found);
}

/** @param value null for the value that the session began with */
function change(session: Session, tag: string, name: string, value: string | null): OwnAnswer {
  try {
    session.parameters.check(name, value);
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    return { type: 'error', error };
  }
  return { type: 'done', tag, change: () => session.setParameter(name, value) };
}
