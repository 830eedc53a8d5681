/** What a script is, and messages that only scripts need. */
import { body, int16, int32 } from '../../support/wire-fields.js';
import { extended, message, query, sync } from '../messages.js';

export interface Script {
  readonly name: string;
  readonly messages: readonly Buffer[];
  /** Why it is not yet so with several nodes. */
  readonly todo?: string;
}

export interface BindFormats {
  readonly values: readonly (Buffer | string | null)[];
  /** Format codes of the parameters: none = all text, one = for all. */
  readonly formats?: readonly number[];
  /** Format codes of the result columns, likewise. */
  readonly results?: readonly number[];
  readonly statement?: string;
  readonly portal?: string;
}

/** A number of parameters: up to 65535, so unsigned. */
const count = (of: number): Buffer => Buffer.from([of >> 8, of & 255]);

/** Bind with format codes: 0 = text, 1 = binary. */
export function bindFormats({ values, formats = [], results = [], statement = '', portal = '' }: BindFormats): Buffer {
  const fields = values.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    return [int32(bytes.length), bytes];
  });
  return message('B', body(portal, statement, int16(formats.length), ...formats.map(int16), count(values.length), Buffer.concat(fields),
    int16(results.length), ...results.map(int16)));
}

/** A batch of its own: the statement in the extended protocol, and Sync. */
export const alone = (text: string, values: readonly (string | null)[] = []): Buffer[] => [...extended(text, values), sync];

/** Each text as a simple query. */
export const queries = (...texts: readonly string[]): Buffer[] => texts.map(query);
