/** A real pgloom with an HTTP port. */
import { createHash } from 'node:crypto';
import { freePort } from '../../src/main/demo/free-port.js';
import { type Pgloom, type PgloomOptions, startPgloom } from '../support/pgloom.js';

/** A line of pcp.conf. */
export function pcpLine(user: string, password: string): string {
  return `${user}:${createHash('md5').update(password).digest('hex')}\n`;
}

/** Starts one, gives it to `use`, and stops it whatever happens. @param use `url` is without a slash at its end */
export async function withHttp(options: PgloomOptions, use: (pgloom: Pgloom, url: string, httpPort: number) => Promise<void>): Promise<void> {
  const httpPort = await freePort();
  const pgloom = await startPgloom({ ...options, settings: { http_port: httpPort, http_listen_addresses: '127.0.0.1', ...options.settings } });
  try {
    await use(pgloom, `http://127.0.0.1:${httpPort}`, httpPort);
  } finally {
    await pgloom.stop();
  }
}
