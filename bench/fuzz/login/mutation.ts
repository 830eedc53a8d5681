/** Spoiling of messages, fields and lengths. */
import { int32 } from '../../../test/support/wire-fields.js';
import { pick, type Random } from '../grammar.js';

export const chance = (random: Random, probability: number): boolean => random() < probability;

export const upTo = (random: Random, most: number): number => Math.floor(random() * most);

export function noise(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: upTo(random, most) }, () => upTo(random, 256)));
}

const pieces = ['', ',', '=', '\0', 'p=', 'n,,', 'y,,', 'p=tls-server-end-point,,', 'p=tls-unique,,', 'a=fuzz_scram,', 'm=ext,', '====', 'A', '\x80\xff', '%s%n', '\r\n', "'--", ' ', 'r='];

/** The text with something wrong with it; never the same text. */
export function spoilt(random: Random, text: string): string {
  for (;;) {
    const at = upTo(random, text.length + 1);
    const changed = spoiltAt(random, text, at);
    if (changed !== text) return changed;
  }
}

function spoiltAt(random: Random, text: string, at: number): string {
  switch (upTo(random, 8)) {
    case 0: return text.slice(0, at);
    case 1: return text.slice(at);
    case 2: return text.slice(0, at) + pick(random, pieces) + text.slice(at);
    case 3: return text.slice(0, at) + String.fromCharCode(upTo(random, 256)) + text.slice(at + 1);
    case 4: return text + text;
    case 5: return pick(random, pieces);
    case 6: return text + pick(random, ['A', ',', '\0', 'z'.repeat(300), 'y'.repeat(pick(random, [9_000, 9_990, 10_010, 66_000]))]);
    default: return text.slice(0, at) + text.slice(at + 1 + upTo(random, 5));
  }
}

/** One bit to four are other ones. */
export function flipped(random: Random, bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const places = new Set(Array.from({ length: 1 + upTo(random, 4) }, () => upTo(random, changed.length * 8)));
  for (const bit of places) if (changed.length > 0) changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
}

const lengthWords = [0, 1, 3, 4, 5, 7, 8, 9, -1, 255, 9_999, 10_000, 10_001, 65_535, 65_536, 70_000, 0x3fff_ffff, 0x4000_0000, 0x7fff_ffff, -0x8000_0000] as const;

/** A message whose frame is wrong: its letter, its length, its end. */
export function misframed(random: Random, message: Buffer, hasLetter: boolean): Buffer {
  const changed = Buffer.from(message);
  const lengthAt = hasLetter ? 1 : 0;
  switch (upTo(random, hasLetter ? 6 : 5)) {
    case 0:
      changed.writeInt32BE(pick(random, lengthWords) | 0, lengthAt);
      return changed;
    case 1:
      changed.writeInt32BE((changed.readInt32BE(lengthAt) + pick(random, [-5, -2, -1, 1, 2, 100])) | 0, lengthAt);
      return changed;
    case 2: return changed.subarray(0, upTo(random, changed.length));
    case 3: return flipped(random, changed);
    case 4: return noise(random, 80);
    default:
      changed[0] = pick(random, [0, 0x16, 0x51, 0x50, 0x58, 0x53, 0x42, 0x64, 0x66, 0x52, 0x5a, 0x70, 0xff]);
      return changed;
  }
}

/** A packet without a letter. */
export function untyped(payload: Buffer): Buffer {
  return Buffer.concat([int32(payload.length + 4), payload]);
}
