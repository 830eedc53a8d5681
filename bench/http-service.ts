import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool } from 'pg';

/**
 * The service that `bench/http.ts` puts behind each proxy, as a person would write it: one pool,
 * one read by key, one small write. Started as a child process with its database in PG* variables;
 * tells its parent the port it listens on.
 */
const pool = new Pool({ max: 16 });
const accounts = Number(process.env['BENCH_ACCOUNTS'] ?? '100000');

async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  const aid = 1 + Math.floor(Math.random() * accounts);
  if (request.method === 'GET' && request.url === '/account') {
    const result = await pool.query('SELECT aid, abalance FROM pgbench_accounts WHERE aid = $1', [aid]);
    return { status: 200, body: result.rows[0] };
  }
  if (request.method === 'POST' && request.url === '/account') {
    const result = await pool.query('UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = $1 RETURNING abalance', [aid]);
    return { status: 200, body: result.rows[0] };
  }
  return { status: 404, body: { error: 'no such page' } };
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let result: { status: number; body: unknown };
  try {
    request.resume();
    result = await answer(request);
  } catch (error) {
    result = { status: 500, body: { error: String(error) } };
  }
  response.writeHead(result.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(result.body));
}

pool.on('error', (error) => process.stderr.write(`http service: ${error.message}\n`));
const server = createServer((request, response) => void serve(request, response));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
process.on('disconnect', () => process.exit(0));
