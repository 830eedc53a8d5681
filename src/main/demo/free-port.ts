import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/**
 * A TCP port on which nobody listens, from below the range that systems hand out for outgoing connections
 * (32768 on Linux): so a stopped server's port is not taken by someone's outgoing connection before it starts again.
 * Another process may still be quicker; whoever binds it must be ready to try again.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(15_000, 32_000);
    if (await portProblem(port, host) === undefined) return port;
  }
  throw new Error(`no free TCP port found on ${host}`);
}

/** Why nobody could listen on this port now (`EADDRINUSE`, `EACCES`, ...), or undefined when one could. */
export function portProblem(port: number, host = '127.0.0.1'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
