/** A TCP proxy in front of a real server, for what a network does to a connection. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly host = '127.0.0.1';
  /** Connections that were made to it, the refused ones as well. */
  connections = 0;
  /** New connections are closed at once; those there are live on. */
  refusing = false;
  private holdLetter = -1;
  private noteHeld: () => void = () => undefined;
  private held: (() => void)[] = [];
  private readonly sockets = new Set<Socket>();
  /** Those of them that reach a server. */
  private readonly clients = new Set<Socket>();
  /** Those that pgloom keeps for questions of its own. */
  private readonly questions = new Set<Socket>();

  /** @param target port on 127.0.0.1 of the server; a change holds for new connections */
  private constructor(private readonly server: Server, public target: number) {
    server.on('connection', (socket) => this.accept(socket));
  }

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that reach a server now. */
  get open(): number {
    return this.clients.size;
  }

  private accept(client: Socket): void {
    this.connections++;
    this.keep(client);
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = connect({ host: this.host, port: this.target, noDelay: true });
    this.keep(server);
    this.clients.add(client);
    client.once('data', (first: Buffer) => {
      if (first.includes('application_name\0pgloom\0')) this.questions.add(client);
    });
    client.on('close', () => {
      this.questions.delete(client);
      this.clients.delete(client);
      server.destroy();
    }).pipe(server);
    server.on('close', () => client.destroy());
    const state: { waiting: Buffer[] | null } = { waiting: null };
    server.on('data', (chunk) => {
      if (state.waiting !== null) state.waiting.push(chunk);
      else if (chunk[0] !== this.holdLetter) client.write(chunk);
      else this.split(client, chunk, state);
    });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
  }

  private split(client: Socket, chunk: Buffer, state: { waiting: Buffer[] | null }): void {
    const shownBytes = 7;
    client.write(chunk.subarray(0, shownBytes));
    state.waiting = [chunk.subarray(shownBytes)];
    this.held.push(() => {
      client.write(Buffer.concat(state.waiting ?? []));
      state.waiting = null;
    });
    this.noteHeld();
  }

  /**
   * What a server sends from now on in one piece that begins with a message of this letter stops after 7 bytes, until
   * `release`. Resolves when that has happened to a connection.
   */
  hold(letter: string): Promise<void> {
    this.holdLetter = letter.charCodeAt(0);
    return new Promise((resolve) => {
      this.noteHeld = resolve;
    });
  }

  release(): void {
    this.holdLetter = -1;
    for (const release of this.held.splice(0)) release();
  }

  /** Puts bytes into what the servers send, as if they came from there. */
  insert(bytes: Uint8Array): void {
    for (const client of this.clients) client.write(bytes);
  }

  /** From now on another server is behind it, also for the questions that pgloom asks over connections which it keeps. */
  turnTo(target: number): void {
    this.target = target;
    for (const socket of this.questions) socket.destroy();
  }

  /** Ends all connections, as a server does that is killed. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.server.close();
    this.drop();
    await once(this.server, 'close');
  }
}
