/** Query string → plan, one cache per worker. The hot path is one look-up; only what is new gets parsed. */
import { isAscii, isUtf8 } from 'node:buffer';
import { classify } from './classify.js';
import { canParse } from './grammar.js';
import { unreadablePlan } from './make-plan.js';
import { StatementKind, type Plan } from './plan.js';
import { RecentMap } from './recent-map.js';
import { shapeOf } from './shape.js';
import { roughTokenCount } from './token-count.js';

export interface PlanCacheLimits {
  /** Entries of raw texts, and as many of shapes. */
  readonly maxEntries: number;
  /** Bytes of raw texts, and as many of shapes. */
  readonly maxBytes: number;
  /** A longer text is not kept as it is. */
  readonly maxKeptBytes: number;
  /** A longer text is not parsed, unless its literals are what makes it long. */
  readonly maxParsedBytes: number;
  /** The same for a text of more tokens: a token costs 1 to 5 µs (bench/routing --large). */
  readonly maxParsedTokens: number;
  /** Of a longer text not even the shape is taken. */
  readonly maxShapedBytes: number;
}

/** Long texts whose shape is long as well; see PlanCache.byLongText. */
const longEntries = 64;
const longBytes = 2 << 20;

const defaultLimits: PlanCacheLimits = {
  maxEntries: 4096,
  maxBytes: 8 << 20,
  maxKeptBytes: 16 << 10,
  maxParsedBytes: 64 << 10,
  maxParsedTokens: 8192,
  maxShapedBytes: 256 << 10,
};

/** About what a map entry, a plan and each of its names weigh beside their text. */
const entryBytes = 120;
const planBytes = 240;
const nameBytes = 80;

export class PlanCache {
  private readonly limits: PlanCacheLimits;
  private readonly byText: RecentMap<string, Plan>;
  private readonly byShape: RecentMap<string, Plan>;
  /**
   * A statement that waits for facts is planned again when they are there, and has to find the same plan: else it would ask again, and
   * for ever when its relation is one that is asked about each time. So the last few of those are kept that are too long for the others.
   */
  private readonly byLongText = new RecentMap<string, Plan>(longEntries, longBytes, sizeOf);
  /** Hashes of texts that came once. */
  private readonly lately = new Int32Array(4096);

  constructor(limits: Partial<PlanCacheLimits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    const { maxEntries, maxBytes } = this.limits;
    this.byText = new RecentMap(maxEntries, maxBytes, sizeOf);
    this.byShape = new RecentMap(maxEntries, maxBytes, sizeOf);
  }

  /** Entries and bytes kept at present, texts and shapes together; at the most 2 × maxBytes and 2 MB. */
  get usage(): { entries: number; sizeBytes: number } {
    return {
      entries: this.byText.size + this.byShape.size + this.byLongText.size,
      sizeBytes: this.byText.sizeBytes + this.byShape.sizeBytes + this.byLongText.sizeBytes,
    };
  }

  /**
   * The plan of a query string. The parser must have been loaded (`loadParser`).
   *
   * @param latin1 the query string's bytes without the closing NUL, one character a byte (`latin1Slice`)
   */
  planOf(latin1: string): Plan {
    return this.byText.get(latin1) ?? this.miss(latin1);
  }

  private miss(latin1: string): Plan {
    const couldParse = canParse();
    const plan = this.planOfNew(latin1);
    // Without a grammar every text is unreadable: not worth remembering. Nor is a text with literals that comes once:
    // to find its shape again costs less than to keep (and throw away) all the texts that differ in a number.
    if (couldParse && latin1.length <= this.limits.maxKeptBytes && (!isDecidedByShape(plan) || this.seenBefore(latin1))) this.byText.set(latin1, plan);
    return plan;
  }

  /** Has this text (or, seldom, another one with the same small hash) passed here lately? */
  private seenBefore(text: string): boolean {
    let hash = text.length;
    for (let i = Math.max(0, text.length - 24); i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    const slot = hash & (this.lately.length - 1);
    const seen = this.lately[slot] === hash;
    this.lately[slot] = hash;
    return seen;
  }

  private planOfNew(latin1: string): Plan {
    const { maxKeptBytes, maxShapedBytes } = this.limits;
    const shape = latin1.length <= maxShapedBytes ? shapeOf(latin1) : null;
    const known = (shape === null ? undefined : this.byShape.get(shape)) ?? (latin1.length > maxKeptBytes ? this.byLongText.get(latin1) : undefined);
    if (known !== undefined) return known;
    const plan = this.parsed(latin1, shape);
    if (!isDecidedByShape(plan)) return plan;
    if (shape !== null && shape.length <= maxKeptBytes) this.byShape.set(shape, plan);
    else if (latin1.length > maxKeptBytes && latin1.length <= maxShapedBytes) this.byLongText.set(latin1, plan);
    return plan;
  }

  private parsed(latin1: string, shape: string | null): Plan {
    // A shape is a statement too, its literals being empty and its lists short: a long INSERT is read from its shape.
    if (shape !== null && shape.length < latin1.length / 2 && this.isParsable(shape)) {
      const plan = classify(textOf(shape) ?? '\0');
      if (isDecidedByShape(plan)) return plan;
    }
    const plan = this.isParsable(latin1) ? classify(textOf(latin1) ?? '\0') : unreadablePlan();
    if (plan.own?.type !== 'pcp') return plan;
    // In a text of another encoding the offsets of calls would be wrong; a plan that is not kept could not wait for anything.
    return plan.own.text === latin1 && latin1.length <= this.limits.maxKeptBytes ? plan : plan.own.otherwise;
  }

  /** Parsing it does not hold up the other sessions for long: some 40 ms at the most. */
  private isParsable(text: string): boolean {
    const { maxParsedBytes, maxParsedTokens } = this.limits;
    if (text.length > maxParsedBytes) return false;
    return text.length <= maxParsedTokens || roughTokenCount(text, maxParsedTokens) <= maxParsedTokens;
  }
}

/**
 * Whether all texts of a shape have this plan. Literals matter in a SET, in DDL (a function's body) and in all that is
 * opaque; they do not in queries and DML.
 */
function isDecidedByShape(plan: Plan): boolean {
  const { kind } = plan;
  if (plan.functions.some(({ name }) => name === 'current_setting')) return false;
  return (kind === StatementKind.read || kind === StatementKind.write) && !plan.opaque && !plan.ddl;
}

/**
 * The text behind the bytes. Bytes that are not UTF-8 are of another client_encoding and taken one by one; names
 * beyond ASCII then match no relation, so that such reads stay on the primary. In SJIS, BIG5, GBK and their like the
 * second byte of a character can be a backslash: such a text cannot be read at all (null).
 */
function textOf(latin1: string): string | null {
  const bytes = Buffer.from(latin1, 'latin1');
  if (isAscii(bytes)) return latin1;
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return latin1.includes('\\') ? null : latin1;
}

function sizeOf(key: string, plan: Plan): number {
  const names = plan.relations.length + plan.functions.length + (plan.writes?.length ?? 0);
  const settingBytes = plan.setting === null ? 0 : plan.setting.text.length;
  const ownBytes = plan.own?.type === 'pcp' ? 2 * plan.own.text.length : 0;
  return key.length + settingBytes + ownBytes + entryBytes + planBytes + names * nameBytes;
}
