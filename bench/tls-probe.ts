import { spawn } from 'node:child_process';

/**
 * Reads what `openssl s_client -brief` says of a handshake.
 * @returns for example `TLSv1.3 TLS_AES_256_GCM_SHA384, X25519 253 bits`
 * @throws Error when there was no handshake.
 */
export function parseHandshake(text: string): string {
  const protocol = /^Protocol version: (\S+)/m.exec(text)?.[1];
  const cipher = /^Ciphersuite: (\S+)/m.exec(text)?.[1];
  if (protocol === undefined || cipher === undefined) throw new Error(`no TLS handshake: ${text.trim().slice(-300)}`);
  // OpenSSL 3.5 names the group; the ones before it only the temporary key.
  const exchange = /^Negotiated TLS1\.3 group: (.+)$/m.exec(text)?.[1] ?? /^(?:Server|Peer) Temp Key: (.+)$/m.exec(text)?.[1];
  return `${protocol} ${cipher}${exchange === undefined ? '' : `, ${exchange.replaceAll(',', '').trim()}`}`;
}

/**
 * Asks a PostgreSQL port for TLS with OpenSSL's own client, whose library is also pgbench's, and tells what was agreed on.
 * @throws Error when the target refuses TLS or stays silent for 10 s.
 */
export function probeHandshake(openssl: string, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(openssl, ['s_client', '-brief', '-starttls', 'postgres', '-connect', `${host}:${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      try {
        resolve(parseHandshake(text));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
