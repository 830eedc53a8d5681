/**
 * What statements and portals count as where nothing else is known of them: in the relay that decides nothing. Names and the
 * first word of each text are all that is looked at.
 */
import { CountedKind } from '../../shared/memory/statement-counts.js';
import type { OwnCommand } from '../sql/own-command.js';
import type { Plan } from '../sql/plan.js';
import { shownBytes } from './statement.js';

/** What an Execute counts as, and the text that SHOW POOL_POOLS shows. */
export interface PlainStatement {
  readonly counts: Plan['counts'];
  readonly own: Plan['own'];
  /** Its beginning, one character for each byte. */
  readonly text: string;
  /** What follows the text in its Parse, where pgloom makes another. */
  readonly types: Buffer;
  /** As `parse` was told. */
  readonly batch: number;
}

const noTypes = Buffer.alloc(0);

/** Where a name is not known: the Parse failed, or it was too large to be looked at. */
const unknown: PlainStatement = { counts: CountedKind.other, own: null, text: '', types: noTypes, batch: -1 };
/** A client that never closes its statements must not fill the memory. */
const maxNames = 10_000;
/** Longer names are not remembered. */
const maxNameBytes = 1024;

export class PlainPortals {
  private unnamed: PlainStatement = unknown;
  private unnamedPortal: PlainStatement = unknown;
  private readonly statements = new Map<string, PlainStatement>();
  private readonly portals = new Map<string, PlainStatement>();

  /**
   * A Parse, data[pos, next) being the whole message.
   * @param batch number of the answer that comes before its batch's own
   * @param planOf null when that has to be waited for
   * @returns what pgloom itself is asked for, null when it is the server's, 'wait' when `planOf` has to be asked again
   */
  parse(data: Buffer, pos: number, next: number, batch: number, planOf: (from: number, to: number) => Plan | null): { readonly name: string; readonly own: OwnCommand; readonly types: Buffer } | 'wait' | null {
    const nameEnd = data.indexOf(0, pos + 5);
    const textEnd = nameEnd < 0 || nameEnd >= next ? -1 : data.indexOf(0, nameEnd + 1);
    if (textEnd < 0 || textEnd >= next) return null;
    const plan = planOf(nameEnd + 1, textEnd);
    if (plan === null) return 'wait';
    const { counts, own } = plan;
    const types = own?.type === 'pcp' ? Buffer.from(data.subarray(textEnd + 1, next)) : noTypes;
    const statement = { counts, own, types, batch, text: data.latin1Slice(nameEnd + 1, Math.min(textEnd, nameEnd + 1 + shownBytes)) };
    if (nameEnd === pos + 5) this.unnamed = statement;
    else if (nameEnd - pos <= maxNameBytes) remember(this.statements, data.latin1Slice(pos + 5, nameEnd), statement);
    return own === null ? null : { name: data.latin1Slice(pos + 5, nameEnd), own, types };
  }

  /** A Bind data[pos, next): what its portal will run; null when it is malformed. */
  bind(data: Buffer, pos: number, next: number): { readonly name: string; readonly statement: PlainStatement } | null {
    const portalEnd = data.indexOf(0, pos + 5);
    const nameEnd = portalEnd < 0 || portalEnd >= next ? -1 : data.indexOf(0, portalEnd + 1);
    if (nameEnd < 0 || nameEnd >= next) return null;
    const name = nameEnd === portalEnd + 1 ? '' : data.latin1Slice(portalEnd + 1, nameEnd);
    const statement = name === '' ? this.unnamed : (this.statements.get(name) ?? unknown);
    if (portalEnd === pos + 5) this.unnamedPortal = statement;
    else if (portalEnd - pos <= maxNameBytes) remember(this.portals, data.latin1Slice(pos + 5, portalEnd), statement);
    return { name, statement };
  }

  forgetUnnamed(): void {
    this.unnamed = unknown;
    this.unnamedPortal = unknown;
  }

  /** A Close data[pos, next). */
  close(data: Buffer, pos: number, next: number): void {
    const name = data.latin1Slice(pos + 6, next - 1);
    if (data[pos + 5] === 0x53) {
      if (name === '') this.unnamed = unknown;
      else this.statements.delete(name);
    } else if (name === '') {
      this.unnamedPortal = unknown;
    } else {
      this.portals.delete(name);
    }
  }

  /** What the Execute data[pos, next) runs. */
  executed(data: Buffer, pos: number, next: number): PlainStatement {
    const nameEnd = data.indexOf(0, pos + 5);
    if (nameEnd < 0 || nameEnd >= next) return unknown;
    return nameEnd === pos + 5 ? this.unnamedPortal : (this.portals.get(data.latin1Slice(pos + 5, nameEnd)) ?? unknown);
  }
}

function remember(map: Map<string, PlainStatement>, name: string, statement: PlainStatement): void {
  if (map.size >= maxNames && !map.has(name)) map.delete(map.keys().next().value as string);
  map.set(name, statement);
}
