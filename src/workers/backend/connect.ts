/** Opens a link: connect, startup packet, authentication, until the server's first ReadyForQuery. */
import type { Backend } from '../../shared/settings.js';
import type { Credential } from '../../shared/auth/credential.js';
import { AuthenticationType, methodOf, ServerLogin, type ServerMethod } from '../../shared/auth/server-login.js';
import { errors, PgError } from '../../shared/errors.js';
import { B } from '../../shared/protocol/letters.js';
import { message, startup } from '../../shared/protocol/writer.js';
import type { BackendTls } from '../../shared/tls/backend-tls.js';
import { BackendLink, type Handshake } from './backend-link.js';
import { connectLink } from './server-socket.js';

/** The server itself refused the login: its ErrorResponse goes to the client as it is. */
export class ServerRefusal extends Error {
  /** @param response the complete ErrorResponse message */
  constructor(readonly response: Buffer, readonly sqlstate: string) {
    super(`the server refused the login (${sqlstate})`);
  }
}

/** The node could not be reached or did not behave; the primary thread should look at it. */
export class NodeUnreachable extends Error {
  constructor(readonly node: number, readonly reason: string) {
    super(`DB node ${node}: ${reason}`);
  }

  toPgError(): PgError {
    return errors.backendConnectFailed(this.node, this.reason);
  }
}

export interface LoginAs {
  readonly user: string;
  readonly credential: Credential;
  /** All startup parameters, `user` and `database` among them. */
  readonly parameters: readonly (readonly [string, string])[];
}

/**
 * Relay mode: the server has asked for a password, and the client has to prove itself by the same method before the server is
 * answered. Rejects when it does not.
 */
export type Asked = (method: ServerMethod) => Promise<Credential>;

/** SQLSTATE of an ErrorResponse's payload, '' when it has none. */
export function sqlstateOf(payload: Buffer): string {
  let at = 0;
  while (at < payload.length && payload[at] !== 0) {
    const end = payload.indexOf(0, at + 1);
    if (end < 0) return '';
    if (payload[at] === 0x43) return payload.toString('latin1', at + 1, end);
    at = end + 1;
  }
  return '';
}

class Login implements Handshake {
  /** Null while the client is being asked. */
  private login: ServerLogin | null = null;
  private timer: NodeJS.Timeout | undefined;
  private loginTimeoutMs = 0;
  private isAsking = false;
  private over = false;

  constructor(
    private readonly link: BackendLink,
    private readonly as: LoginAs,
    private readonly asked: Asked | null,
    timeoutMs: number,
    private readonly resolve: (link: BackendLink) => void,
    private readonly reject: (error: Error) => void,
  ) {
    if (timeoutMs > 0) this.timer = setTimeout(() => this.fail(new NodeUnreachable(link.node, `no answer within ${timeoutMs} ms (connect_timeout)`)), timeoutMs);
  }

  /** The connection stands; from here on the server's slowness is bounded by authentication_timeout, not connect_timeout. */
  connected(loginTimeoutMs: number): void {
    this.loginTimeoutMs = loginTimeoutMs;
    this.limit();
  }

  private limit(): void {
    clearTimeout(this.timer);
    const { loginTimeoutMs } = this;
    this.timer = loginTimeoutMs === 0 ? undefined
      : setTimeout(() => this.fail(new NodeUnreachable(this.link.node, `login not finished within ${loginTimeoutMs} ms`)), loginTimeoutMs);
  }

  message(link: BackendLink, letter: number, payload: Buffer): void {
    switch (letter) {
      case B.authentication:
        if (payload.length < 4) return this.fail(new NodeUnreachable(link.node, 'truncated authentication request'));
        this.authenticate(Buffer.from(payload));
        return;
      case B.keyData:
        if (payload.length < 8) return this.fail(new NodeUnreachable(link.node, 'truncated key data'));
        link.pid = payload.readInt32BE(0);
        link.key = Buffer.from(payload.subarray(4));
        return;
      case B.error:
        return this.fail(new ServerRefusal(message(B.error, payload), sqlstateOf(payload)));
      case B.readyForQuery:
        if (this.login?.done !== true) return this.fail(new NodeUnreachable(link.node, 'ready before authentication was over'));
        this.finish();
        link.handshake = null;
        return this.resolve(link);
      case B.parameterStatus:
      case B.notice:
      case B.negotiateVersion:
        return;
      default:
        this.fail(new NodeUnreachable(link.node, `unexpected message type ${letter} during login`));
    }
  }

  private authenticate(payload: Buffer): void {
    const type = payload.readInt32BE(0);
    const method = methodOf(type);
    if (this.isAsking && this.login === null) return this.fail(new NodeUnreachable(this.link.node, 'authentication goes on before it was answered'));
    if (this.login !== null || this.asked === null || type === AuthenticationType.ok || method === null) return this.step(type, payload);
    this.isAsking = true;
    // The server's patience is its own authentication_timeout; the client's is ours.
    clearTimeout(this.timer);
    this.asked(method).then((credential) => {
      if (this.over) return;
      this.limit();
      this.login = new ServerLogin(this.as.user, credential, this.link.binding);
      this.step(type, payload);
    }).catch((error: Error) => this.fail(error));
  }

  private step(type: number, payload: Buffer): void {
    this.login ??= new ServerLogin(this.as.user, this.as.credential, this.link.binding);
    try {
      const answer = this.login.step(type, payload);
      this.link.method = this.login.method;
      if (answer instanceof Promise) {
        answer.then((bytes) => bytes !== null && !this.over && this.link.send(bytes), (error: Error) => this.fail(error));
      } else if (answer !== null) {
        this.link.send(answer);
      }
    } catch (error) {
      this.fail(error as Error);
    }
  }

  lost(link: BackendLink, reason: string): void {
    this.fail(new NodeUnreachable(link.node, reason));
  }

  private finish(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  private fail(error: Error): void {
    if (this.over) return;
    this.finish();
    this.link.destroy();
    this.reject(error);
  }
}

/**
 * @param loginTimeoutMs bound for the login after the connection stands; 0 = none
 * @param asked for a client that has not proved itself; `as.credential` is then only for servers that trust
 * @throws ServerRefusal, NodeUnreachable, or a PgError (a password that pgloom does not know)
 */
export function openLink(backend: Backend, as: LoginAs, nowMs: number, loginTimeoutMs: number, tls: BackendTls, asked: Asked | null = null): Promise<BackendLink> {
  return new Promise((resolve, reject) => {
    const link = new BackendLink(backend.id, nowMs);
    const login = new Login(link, as, asked, backend.health_check.connect_timeout, resolve, reject);
    connectLink(link, backend, tls, login, () => {
      login.connected(loginTimeoutMs);
      link.send(startup(as.parameters));
    });
  });
}
