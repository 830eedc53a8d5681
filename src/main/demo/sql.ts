/** Questions to one server. The driver is a development dependency, so it is loaded when first needed. */
export interface ServerAddress {
  /** A host name, or the directory of the Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
}

export type Row = Record<string, unknown>;

/**
 * Runs SQL on one server over a connection of its own and returns the rows of the last statement.
 * Throws the driver's error (with `code` = SQLSTATE) when the server refuses.
 */
export async function queryServer<R extends Row = Row>(address: ServerAddress, sql: string, values?: unknown[]): Promise<R[]> {
  const { default: pg } = await import('pg');
  // `ssl: false` keeps PGSSLMODE and its kin in the environment from having a say.
  const client = new pg.Client({ ...address, ssl: false, connectionTimeoutMillis: 10_000 });
  // A server that is stopped under a connection also reports on the client itself; the query's own error is enough.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const result: unknown = await client.query(sql, values);
    const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: R[] };
    return last.rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
