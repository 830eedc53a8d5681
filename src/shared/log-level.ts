/**
 * Message levels. The numbers put LOG between ERROR and FATAL, as PostgreSQL and Pgpool-II do for log_min_messages, so
 * that LOG lines are written at `warning` and even at `error`. For clients LOG sorts below INFO instead.
 * pino's own numbers hold where pino has the name.
 */
export const LogLevel = {
  debug5: 10, debug4: 12, debug3: 14, debug2: 16, debug1: 18, info: 30, notice: 35, warning: 40, error: 50, log: 55, fatal: 60, panic: 70,
} as const;
export type LogLevelName = keyof typeof LogLevel;
export type LogLevel = (typeof LogLevel)[LogLevelName];

const names = new Map<number, LogLevelName>((Object.keys(LogLevel) as LogLevelName[]).map(name => [LogLevel[name], name]));

export function levelName(level: LogLevel): LogLevelName {
  return names.get(level) ?? 'log';
}

/** What stands in the line: all debug levels are DEBUG. */
export function levelLabel(level: LogLevel): string {
  return level <= LogLevel.debug1 ? 'DEBUG' : levelName(level).toUpperCase();
}

function clientOrder(level: LogLevel): number {
  return level === LogLevel.log ? LogLevel.debug1 + 1 : level;
}

/** Is a notice of this level sent to a client whose client_min_messages is `minimum`? INFO always is. */
export function reachesClient(level: LogLevel, minimum: LogLevelName): boolean {
  return level === LogLevel.info || clientOrder(level) >= clientOrder(LogLevel[minimum]);
}
