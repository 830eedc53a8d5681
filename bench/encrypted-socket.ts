import net from 'node:net';
import tls from 'node:tls';

/** PostgreSQL's SSLRequest: its length, then 1234 and 5679 in place of a protocol version. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Connects and starts TLS as libpq does with sslmode=require, which does not check the certificate either.
 * @throws Error when the connection fails or closes, the server does not want TLS, or it takes over timeoutMs.
 */
export function openEncrypted(host: string, port: number, timeoutMs: number): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const plain = net.connect({ host, port, noDelay: true });
    let outer: net.Socket = plain;
    const timer = setTimeout(() => fail(new Error(`no TLS within ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      outer.destroy();
      plain.destroy();
      reject(error);
    };
    plain.on('error', fail);
    plain.once('close', () => fail(new Error('connection closed before TLS')));
    plain.once('connect', () => plain.write(sslRequest));
    plain.once('data', (answer: Buffer) => {
      if (answer.toString('latin1') !== 'S') {
        fail(new Error('the server does not want TLS'));
        return;
      }
      const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
      outer = secure;
      secure.once('error', fail);
      secure.once('secureConnect', () => {
        clearTimeout(timer);
        secure.removeListener('error', fail);
        resolve(secure);
      });
    });
  });
}
