/**
 * log_statement and log_per_node_statement, in Pgpool-II's words:
 *
 *   LOG:  statement: select $1::int                                            each time that it is run
 *   LOG:  DB node id: 1 backend pid: 4711 statement: Execute: select $1::int   each message to a server, also pgloom's own
 */
import { LogLevel, type Logger } from '../../shared/logger.js';
import { F } from '../../shared/protocol/letters.js';
import type { FrameListener } from './frame-follower.js';
import { withoutPasswords } from '../sql/masked-text.js';
import { StatementTexts } from './statement-texts.js';

/** So much of a message is kept: longer statements are cut. */
export const maxStatementBytes = 65_536;

/** log_statement: is shown the client's messages. */
export class StatementLog implements FrameListener {
  private readonly texts = new StatementTexts();

  constructor(private readonly log: Logger) {}

  message(letter: number, payload: Buffer, payloadBytes: number): void {
    const text = this.texts.textOf(letter, payload, payloadBytes);
    if (text !== undefined && (letter === F.query || letter === F.execute)) this.log.log(LogLevel.log, `statement: ${withoutPasswords(text)}`);
  }
}

const perNodeLabels: ReadonlyMap<number, string> = new Map<number, string>([[F.query, ''], [F.parse, 'Parse: '], [F.bind, 'Bind: '], [F.execute, 'Execute: ']]);

/** log_per_node_statement: is shown the messages that one server is sent. */
export class NodeStatementLog implements FrameListener {
  private readonly texts = new StatementTexts();

  constructor(private readonly log: Logger, private readonly node: number, private readonly pid: number) {}

  message(letter: number, payload: Buffer, payloadBytes: number): void {
    const text = this.texts.textOf(letter, payload, payloadBytes);
    if (letter === F.describe || letter === F.close) this.tell(`${String.fromCharCode(letter)} message`);
    else if (text !== undefined) this.tell(`${perNodeLabels.get(letter)}${withoutPasswords(text)}`);
  }

  private tell(what: string): void {
    const { node } = this;
    this.log.log(LogLevel.log, `DB node id: ${node} backend pid: ${this.pid} statement: ${what}`, { node });
  }
}
