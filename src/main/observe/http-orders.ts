/**
 * POST /orders: attach, detach, promote, with the user and password of PCP in each request.
 *
 * No other site can make a visitor's browser send one: it takes a content type and a header that a foreign page may
 * only send after asking (CORS preflight), which is never allowed, and the browser's word that the page is ours.
 */
import type { IncomingMessage } from 'node:http';
import { LogLevel } from '../../shared/logger.js';
import { type Administration, AdministrationError } from '../administration.js';
import type { HttpCredentials } from './http-credentials.js';
import { HttpProblem } from './http-problem.js';

const maxBodyBytes = 4096;

const orders: Readonly<Record<string, (administration: Administration, node: number) => void | Promise<void>>> = {
  attach: (administration, node) => administration.attachNode(node),
  detach: (administration, node) => administration.detachNode(node, false),
  promote: (administration, node) => administration.promoteNode(node, false, false),
};

/**
 * Carries out what the request says.
 * @throws HttpProblem
 */
export async function obey(request: IncomingMessage, administration: Administration, credentials: HttpCredentials, address: string): Promise<void> {
  checkOrigin(request);
  const { order, node, user, password } = await orderOf(request);
  const act = Object.hasOwn(orders, order) ? orders[order] : undefined;
  if (act === undefined) throw new HttpProblem(400, 'there is no such order');
  try {
    await credentials.check(user, password, address);
  } catch (error) {
    const { message, detail } = error as AdministrationError;
    if (credentials.tells(address, administration.log)) administration.log.log(LogLevel.warning, `order from the status page refused: ${message}`, detail === undefined ? {} : { detail });
    throw new HttpProblem(403, 'user or password is wrong');
  }
  administration.log.log(LogLevel.log, `status page: PCP user ${JSON.stringify(user)} at ${address} orders: ${order} node ${node}`);
  try {
    await act(administration, node);
  } catch (error) {
    if (!(error instanceof AdministrationError)) throw error;
    throw new HttpProblem(409, error.detail === undefined ? error.message : `${error.message}: ${error.detail}`);
  }
}

function checkOrigin({ headers }: IncomingMessage): void {
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) throw new HttpProblem(415, 'the content type must be application/json');
  if (headers['x-pgloom'] !== 'order') throw new HttpProblem(403, 'the header X-Pgloom is missing');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw new HttpProblem(403, 'the order comes from another site');
  // Browsers send no Sec-Fetch-Site over plain HTTP from other machines; programs send neither.
  if (site === undefined && headers.origin !== undefined && hostOf(headers.origin) !== headers.host) throw new HttpProblem(403, 'the order comes from another site');
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}

interface Order {
  readonly order: string;
  readonly node: number;
  readonly user: string;
  readonly password: string;
}

async function orderOf(request: IncomingMessage): Promise<Order> {
  const body = parsed(await bodyOf(request));
  const { order, node, user, password } = (typeof body === 'object' && body !== null ? body : {}) as Partial<Record<keyof Order, unknown>>;
  if (typeof order !== 'string' || typeof user !== 'string' || typeof password !== 'string' || !Number.isSafeInteger(node)) {
    throw new HttpProblem(400, 'wanted: {"order": "attach", "node": 1, "user": "…", "password": "…"}');
  }
  return { order, node: node as number, user, password };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) throw new HttpProblem(413, 'the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, 'the request is not JSON');
  }
}
