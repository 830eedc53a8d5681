/** Where a PCP server listens. */
import { lookup } from 'node:dns/promises';
import type { NetConnectOpts } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { PcpFailure } from '../failure.js';

export interface PcpAddress {
  /** A host name or address; a directory when it begins with a slash; nothing for the directory /tmp. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Compiled into Pgpool-II's commands, also into Debian's, whose server has another default. */
const defaultSocketDirectory = '/tmp';
/** sun_path without its NUL. */
const maxPathBytes = process.platform === 'linux' ? 107 : 103;

/** The path of the Unix socket, undefined for TCP. */
export function socketPath({ host, port }: PcpAddress): string | undefined {
  const directory = host === undefined || host === '' ? defaultSocketDirectory : host;
  return directory.startsWith('/') ? `${directory}/.s.PGSQL.${port}` : undefined;
}

/** The host in .pcppass: a connection through the default directory is `localhost`. */
export function passFileHost({ host }: PcpAddress): string {
  return host === undefined || host === '' || host === defaultSocketDirectory ? 'localhost' : host;
}

/** What to connect to, in the system's order. @throws PcpFailure when there is no such host */
export async function addressesOf(target: PcpAddress): Promise<NetConnectOpts[]> {
  const path = socketPath(target);
  if (path !== undefined) {
    if (Buffer.byteLength(path) <= maxPathBytes) return [{ path }];
    throw new PcpFailure('connection', `ERROR: connection to socket "${path}" failed with error "File name too long"`);
  }
  const host = target.host ?? '';
  try {
    return (await lookup(host, { all: true })).map(({ address }) => ({ host: address, port: target.port }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PcpFailure('connection', `ERROR: could not retrieve hostname. "${host}" has no address (${code ?? 'unknown error'})`);
  }
}

/** In Pgpool-II's words. */
export function connectFailure(target: PcpAddress, error: NodeJS.ErrnoException): PcpFailure {
  const path = socketPath(target);
  const place = path === undefined ? `host "${target.host}"` : `socket "${path}"`;
  return new PcpFailure('connection', `ERROR: connection to ${place} failed with error "${errorText(error)}"`);
}

/** The C library's text, nearly: libuv's with a capital. */
function errorText({ errno, message }: NodeJS.ErrnoException): string {
  const text = errno === undefined ? message : getSystemErrorMap().get(errno)?.[1] ?? message;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
