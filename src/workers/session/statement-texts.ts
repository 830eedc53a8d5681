/** The SQL texts behind the names of statements and portals, as the messages that pass tell them. Only for the log. */
import { F } from '../../shared/protocol/letters.js';
import { PayloadStrings } from './payload-strings.js';

/** More names than this are not remembered: the oldest is forgotten. */
const maxNames = 10_000;

export class StatementTexts {
  private readonly statements = new Map<string, string>();
  private readonly portals = new Map<string, string>();

  /**
   * Notes what a client's message says about names.
   * @param payload its beginning, as a FrameFollower keeps it
   * @returns the SQL text that the message is about, undefined when it is about none
   */
  textOf(letter: number, payload: Buffer, payloadBytes: number): string | undefined {
    const strings = new PayloadStrings(payload, payloadBytes);
    switch (letter) {
      case F.query:
        this.statements.delete('');
        return strings.next();
      case F.parse:
        return remember(this.statements, strings.next(), strings.next());
      case F.bind: {
        const portal = strings.next();
        const name = strings.next();
        return remember(this.portals, portal, this.statements.get(name) ?? `prepared statement "${name}"`);
      }
      case F.execute: {
        const portal = strings.next();
        return this.portals.get(portal) ?? `portal "${portal}"`;
      }
      case F.close:
        (payload[0] === 0x53 ? this.statements : this.portals).delete(strings.next(1));
        return undefined;
      default:
        return undefined;
    }
  }
}

function remember(texts: Map<string, string>, name: string, text: string): string {
  if (!texts.has(name) && texts.size >= maxNames) texts.delete(texts.keys().next().value as string);
  texts.set(name, text);
  return text;
}
