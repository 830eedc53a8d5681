/** SHOW POOL_PROCESSES: a row for each child that runs. */
import { ChildState, childStateText } from '../memory/child-table.js';
import { type ReportTable, reportTable } from './report-table.js';
import type { ReportSources } from './sources.js';
import { countdown, timestamp } from './time-text.js';

const columns = ['pool_pid', 'start_time', 'client_connection_count', 'database', 'username', 'backend_connection_time', 'pool_counter', 'status'];

/** start_time, with the time left when an idle child that has served somebody will start anew. */
export function startTime({ children, settings }: Pick<ReportSources, 'children' | 'settings'>, row: number): string {
  const started = timestamp(children.startedAt(row));
  if (settings.child_life_time === 0 || children.state(row) !== ChildState.waiting || children.served(row) === 0) return started;
  const leftSeconds = Math.max(0, settings.child_life_time - (Date.now() - children.lastActivity(row)) / 1000);
  return `${started} (${countdown(leftSeconds)} before process restarting)`;
}

/** client_connection_count: the clients that the child has served in this life; the one that is there counts when it has left. */
export function sessionsEnded({ children }: Pick<ReportSources, 'children'>, row: number): number {
  const isFree = children.state(row) === ChildState.waiting || children.state(row) === ChildState.stopped;
  return Math.max(0, children.served(row) - (isFree ? 0 : 1));
}

export function poolProcesses(sources: ReportSources): ReportTable {
  const { children } = sources;
  const rows: string[][] = [];
  for (let row = 0; row < children.size; row++) {
    const state = children.state(row);
    if (state === ChildState.stopped) continue;
    rows.push([
      String(children.id(row)), startTime(sources, row), String(sessionsEnded(sources, row)), children.database(row), children.user(row),
      timestamp(children.backendConnectedAt(row)), state === ChildState.waiting ? '' : String(children.poolCounter(row)), childStateText[state] ?? '',
    ]);
  }
  return reportTable(columns, rows);
}
