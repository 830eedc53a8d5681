/**
 * What each path answers. Everything is read from memory; no path needs a server connection or a place in the pool.
 *
 *   /livez /readyz ─────────────────────────────────────▶ text, to everybody
 *   /metrics / /status.json /sessions.json /pools.json ──▶ to everybody, or to users of pcp.conf (http_authentication)
 *   POST /orders ───────────────────────────────────────▶ with user and password of pcp.conf
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { LogLevel } from '../../shared/logger.js';
import { basicCredentials, HttpCredentials } from './http-credentials.js';
import { listQuery, poolGroups, type PoolGroup, poolPage, sessionPage } from './http-lists.js';
import { metricsText, metricsType } from './http-metrics.js';
import type { Observed } from './http-observed.js';
import { obey } from './http-orders.js';
import { HttpProblem } from './http-problem.js';
import { readiness, readinessText } from './http-readiness.js';
import { Shared } from './http-shared.js';
import { statusFacts } from './http-status.js';
import { contentSecurityPolicy, pageHtml } from './page/page.js';

const textType = 'text/plain; charset=utf-8';
const jsonType = 'application/json; charset=utf-8';
/** The workers are not asked for their links more often than this. */
const linksMs = 2000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

interface Route {
  readonly method: 'GET' | 'POST';
  /** Seen by everybody, whatever http_authentication says. */
  readonly open?: boolean;
  readonly answer: (request: IncomingMessage, query: URLSearchParams) => Answer | Promise<Answer>;
}

const securityHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

export class HttpHandler {
  private readonly credentials: HttpCredentials;
  private readonly metrics: Shared<string>;
  private readonly status: Shared<string>;
  private readonly groups: Shared<PoolGroup[]>;
  private readonly routes: ReadonlyMap<string, Route>;

  /** @param pcpFile path of pcp.conf, read at each check */
  constructor(private readonly observed: Observed, pcpFile: string) {
    this.credentials = new HttpCredentials(pcpFile);
    this.metrics = new Shared(() => metricsText(observed), 0);
    this.status = new Shared(async () => JSON.stringify(await statusFacts(observed)), 0);
    this.groups = new Shared(async () => poolGroups(await observed.administration.links()), linksMs);
    this.routes = this.table();
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that has gone is no fault of ours.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    try {
      send(response, await this.answer(request));
    } catch (error) {
      this.refuse(response, error);
    }
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const { path, query } = target(request.url ?? '');
    const route = this.routes.get(path);
    if (route === undefined) throw new HttpProblem(404, 'there is no such page');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method !== route.method) throw new HttpProblem(405, `wanted: ${route.method}`, { Allow: route.method === 'GET' ? 'GET, HEAD' : 'POST' });
    if (route.open !== true) {
      this.checkHost(request);
      await this.checkViewer(request);
    }
    return route.answer(request, query);
  }

  private table(): ReadonlyMap<string, Route> {
    const { observed } = this;
    const json = (body: string): Answer => ({ status: 200, type: jsonType, body });
    return new Map<string, Route>([
      ['/livez', { method: 'GET', open: true, answer: () => ({ status: 200, type: textType, body: 'alive\n' }) }],
      ['/readyz', { method: 'GET', open: true, answer: () => {
        const found = readiness(observed);
        return { status: found.reasons.length === 0 ? 200 : 503, type: textType, body: readinessText(found) };
      } }],
      ['/metrics', { method: 'GET', answer: async () => ({ status: 200, type: metricsType, body: await this.metrics.get() }) }],
      ['/', { method: 'GET', answer: () => ({ status: 200, type: 'text/html; charset=utf-8', body: pageHtml }) }],
      ['/status.json', { method: 'GET', answer: async () => json(await this.status.get()) }],
      ['/sessions.json', { method: 'GET', answer: async (_request, query) => json(JSON.stringify(await sessionPage(observed.administration.sources().children, listQuery(query)))) }],
      ['/pools.json', { method: 'GET', answer: async (_request, query) => json(JSON.stringify(poolPage(await this.groups.get(), listQuery(query)))) }],
      ['/orders', { method: 'POST', answer: async (request) => {
        await obey(request, observed.administration, this.credentials, addressOf(request));
        return json('{"done":true}');
      } }],
    ]);
  }

  /** @throws HttpProblem */
  private async checkViewer(request: IncomingMessage): Promise<void> {
    if (this.observed.administration.sources().settings.http_authentication === 'none') return;
    const wanted = new HttpProblem(401, 'user and password of PCP are wanted', { 'WWW-Authenticate': 'Basic realm="pgloom", charset="UTF-8"' });
    const given = basicCredentials(request.headers.authorization);
    if (given === null) throw wanted;
    try {
      await this.credentials.check(given.user, given.password, addressOf(request));
    } catch {
      throw wanted;
    }
  }

  /**
   * A web site can make its own name mean our address and then read what we show as its own pages. So a request must name this
   * machine, not a site; not so where a password is asked for and the address is none of the loopback interface.
   * @throws HttpProblem
   */
  private checkHost({ socket, headers }: IncomingMessage): void {
    const { http_authentication: authentication, http_listen_addresses: listened } = this.observed.administration.sources().settings;
    if (authentication !== 'none' && !/^(127\.|::1$|::ffff:127\.)/.test(socket.localAddress ?? '')) return;
    const name = /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.exec(headers.host ?? '')?.[1]?.toLowerCase() ?? '';
    const own = hostname().toLowerCase();
    const isOurs = name === '' || name === 'localhost' || name.endsWith('.localhost') || name === own || name.startsWith(`${own}.`)
      || listened.includes(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
    if (!isOurs) throw new HttpProblem(421, 'the Host header names another machine; http_authentication = pcp allows any name');
  }

  private refuse(response: ServerResponse, error: unknown): void {
    if (error instanceof HttpProblem) {
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      // What the client may still be sending is not waited for.
      response.setHeader('Connection', 'close');
      return send(response, { status: error.status, type: jsonType, body: JSON.stringify({ error: error.message }) });
    }
    if (response.destroyed || response.req.destroyed) return;
    this.observed.administration.log.log(LogLevel.error, 'an HTTP request could not be answered', { error: error as Error });
    send(response, { status: 500, type: jsonType, body: JSON.stringify({ error: 'internal error; the log of pgloom tells more' }) });
  }
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  const bytes = Buffer.from(body, 'utf8');
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(bytes);
}

function target(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const questionMark = url.indexOf('?');
  if (questionMark < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, questionMark), query: new URLSearchParams(url.slice(questionMark + 1)) };
}

function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}
