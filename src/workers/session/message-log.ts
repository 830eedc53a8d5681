/**
 * What one session logs of the messages that pass: log_client_messages, log_backend_messages, and the statements of
 * statement-log.ts. The lines are Pgpool-II's:
 *
 *   LOG:  Bind message from frontend.
 *   DETAIL:  portal: "", statement: "s1"
 *   LOG:  DataRow message from backend 1
 *   LOG:  last DataRow message from backend 1 repeated 41 times          (terse)
 *
 * A message is logged when all of it has been read, before anything is done with it. Nothing of this exists in a session whose
 * settings do not ask for it.
 */
import { LogLevel, type Logger } from '../../shared/logger.js';
import { F } from '../../shared/protocol/letters.js';
import type { Settings } from '../../shared/settings.js';
import type { BackendLink } from '../backend/backend-link.js';
import type { Tap } from '../link.js';
import type { ClientReader } from './client-link.js';
import { FrameFollower, type FrameListener } from './frame-follower.js';
import { maxDetailBytes, messageDetail } from './message-detail.js';
import { backendMessageNames, clientMessageNames } from './message-names.js';
import { maxStatementBytes, NodeStatementLog, StatementLog } from './statement-log.js';

type LogSettings = Pick<Settings, 'log_client_messages' | 'log_backend_messages' | 'log_statement' | 'log_per_node_statement'>;

export class MessageLog {
  private readonly client: ClientLog | null;
  private readonly backends: BackendMessageLog | null;

  constructor(private readonly settings: LogSettings, private readonly log: Logger) {
    const { log_client_messages: messages, log_statement: statements, log_backend_messages: backends } = settings;
    this.client = messages || statements ? new ClientLog(messages ? new ClientMessageLog(log) : null, statements ? new StatementLog(log) : null) : null;
    this.backends = backends === 'none' ? null : new BackendMessageLog(log, backends === 'terse');
  }

  /** A reader in front of the relay that logs what the relay is shown; the relay itself when there is nothing to be logged. */
  before(relay: ClientReader): ClientReader {
    return this.client === null ? relay : new LoggedReader(this.client, relay);
  }

  /** For the bytes that pass on a link from now on: they begin with a message. Null when nothing of them is logged. */
  tap(link: BackendLink): Tap | null {
    const { log, backends, settings } = this;
    if (backends === null && !settings.log_per_node_statement) return null;
    const sent = settings.log_per_node_statement ? new NodeStatementLog(log, link.node, link.pid) : null;
    return new BackendTap(backends?.follower(link.node) ?? null, sent === null ? null : new FrameFollower(clientMessageNames, maxStatementBytes, sent));
  }

  /** The session is over: what was counted is told. */
  end(): void {
    this.client?.messages?.tellCount();
    this.backends?.tellRepeats();
  }
}

/** The session's log of messages and statements, null when the settings want none. */
export function messageLogFor(settings: LogSettings, log: Logger): MessageLog | null {
  const wanted = settings.log_client_messages || settings.log_backend_messages !== 'none' || settings.log_statement || settings.log_per_node_statement;
  return wanted && log.isEnabled(LogLevel.log) ? new MessageLog(settings, log) : null;
}

/** Shows every byte once to the log and as often as the relay wants to the relay. */
class LoggedReader implements ClientReader {
  /** Bytes that the relay has left to be shown again. */
  private seenBytes = 0;

  constructor(private readonly log: ClientLog, private readonly relay: ClientReader) {}

  process(data: Buffer, start: number, end: number): number {
    this.log.follower.read(data, start + this.seenBytes, end);
    const pos = this.relay.process(data, start, end);
    this.seenBytes = end - pos;
    return pos;
  }
}

class BackendTap implements Tap {
  constructor(private readonly received: FrameFollower | null, private readonly sent: FrameFollower | null) {}

  read(data: Buffer, from: number, to: number): void {
    if (this.received !== null) this.received.read(data, from, to);
  }

  wrote(data: Buffer, from: number, to: number): void {
    if (this.sent !== null) this.sent.read(data, from, to);
  }
}

class ClientLog implements FrameListener {
  readonly follower: FrameFollower;

  constructor(readonly messages: ClientMessageLog | null, private readonly statements: StatementLog | null) {
    this.follower = new FrameFollower(clientMessageNames, statements === null ? maxDetailBytes : maxStatementBytes, this);
  }

  message(letter: number, payload: Buffer, payloadBytes: number): void {
    this.messages?.message(letter, payload, payloadBytes);
    this.statements?.message(letter, payload, payloadBytes);
    if (letter === F.terminate) this.follower.stop();
  }
}

class ClientMessageLog implements FrameListener {
  /** CopyData messages are only counted, and told when something else comes. */
  private copyDataMessages = 0;

  constructor(private readonly log: Logger) {}

  message(letter: number, payload: Buffer, payloadBytes: number): void {
    if (letter === F.copyData) {
      this.copyDataMessages++;
      return;
    }
    this.tellCount();
    this.tell(letter, messageDetail(letter, payload, payloadBytes));
  }

  tellCount(): void {
    if (this.copyDataMessages === 0) return;
    this.tell(F.copyData, `count: ${this.copyDataMessages}`);
    this.copyDataMessages = 0;
  }

  private tell(letter: number, detail: string | undefined): void {
    this.log.log(LogLevel.log, `${clientMessageNames.get(letter)} message from frontend.`, { detail });
  }
}

class BackendMessageLog {
  private lastLetter = 0;
  private lastNode = -1;
  private repeats = 0;

  /** @param terse a message that is like the last one, of whichever node, is only counted */
  constructor(private readonly log: Logger, private readonly terse: boolean) {}

  follower(node: number): FrameFollower {
    return new FrameFollower(backendMessageNames, 0, { message: (letter) => this.message(node, letter) });
  }

  private message(node: number, letter: number): void {
    if (this.terse && letter === this.lastLetter && node === this.lastNode) {
      this.repeats++;
      return;
    }
    this.tellRepeats();
    this.lastLetter = letter;
    this.lastNode = node;
    this.log.log(LogLevel.log, describe(letter, node), { node });
  }

  tellRepeats(): void {
    if (this.repeats === 0) return;
    const node = this.lastNode;
    this.log.log(LogLevel.log, `last ${describe(this.lastLetter, node)} repeated ${this.repeats} times`, { node });
    this.repeats = 0;
  }
}

function describe(letter: number, node: number): string {
  return `${backendMessageNames.get(letter)} message from backend ${node}`;
}
