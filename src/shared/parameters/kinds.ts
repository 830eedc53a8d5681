/**
 * What a parameter of pgpool.conf can be, and the small constructors with which the table's files say it.
 *
 * Parsing, validation, SHOW POOL_STATUS, the sample file and the README's table all read these objects, and
 * the type of `Settings` is derived from them, so a parameter is written down exactly once.
 */

/** When a value may change: at server start, at reload, or also inside one session (PGPOOL SET). */
export type Change = 'start' | 'reload' | 'session';

/** Unit in which a number is kept; the file may use any other unit of the same kind. */
export type Unit = 'ms' | 's' | 'min' | 'B' | 'kB';

/** Groups of indexed parameters; each has its own highest index. */
export type IndexGroup = 'backend' | 'health_check' | 'watchdog' | 'heartbeat';
export const highestIndex: Readonly<Record<IndexGroup, number>> = { backend: 127, health_check: 127, watchdog: 127, heartbeat: 255 };

export interface Facts {
  readonly change: Change;
  /** One line for people, at most 79 characters: SHOW POOL_STATUS has no room for more. */
  readonly meaning: string;
  /** Whether pgloom does what the parameter says; when absent, it only knows the name. */
  readonly actedOn?: boolean;
  /** PGPOOL SHOW prints ***** for it. */
  readonly masked?: boolean;
  /** The value must not appear in a log line or an error. */
  readonly secret?: boolean;
}

export interface BoolParameter extends Facts {
  readonly type: 'bool';
  readonly default: boolean;
}

export interface NumberParameter extends Facts {
  readonly type: 'int' | 'int64' | 'float';
  /** In `unit`. The default may lie outside min … max: then it means "not set" and may be written too. */
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit?: Unit;
  /** Shown and sampled in octal (permission bits). */
  readonly octal?: boolean;
}

export interface StringParameter extends Facts {
  readonly type: 'string';
  readonly default: string;
  /** A file; when relative, it is looked for beside the configuration file. */
  readonly path?: boolean;
}

export interface EnumParameter<Word extends string = string> extends Facts {
  readonly type: 'enum';
  readonly default: Word;
  /** Each word with the number SHOW POOL_STATUS prints for it. */
  readonly words: Readonly<Record<Word, number>>;
  /** Other spellings, accepted but not offered. */
  readonly aliases?: Readonly<Record<string, Word>>;
  /** Words that are known but not acted on yet, while the others are. */
  readonly notYet?: readonly Word[];
}

export interface ListParameter extends Facts {
  /** `regex list`: every item is a POSIX extended regular expression; see posix-regex.ts. */
  readonly type: 'list' | 'regex list';
  readonly default: readonly string[];
  readonly separator: ',' | ';';
}

export type Parameter = BoolParameter | NumberParameter | StringParameter | EnumParameter | ListParameter;
export type Group = Readonly<Record<string, Parameter>>;

/** The JavaScript type of a parameter's value. */
export type ValueOf<P> = P extends BoolParameter
  ? boolean
  : P extends NumberParameter
    ? number
    : P extends StringParameter
      ? string
      : P extends EnumParameter<infer Word>
        ? Word
        : P extends ListParameter
          ? readonly string[]
          : never;
export type ValuesOf<G> = { readonly [Name in keyof G]: ValueOf<G[Name]> };
export type Value = boolean | number | string | readonly string[];

export const intMax = 2 ** 31 - 1;
/** 2^63: as a double it stands for 2^63 - 1 too, which a number cannot hold. */
export const int64Max = 2 ** 63;

type NumberFacts = Facts & { readonly min?: number; readonly max?: number; readonly unit?: Unit; readonly octal?: boolean };

export function bool(preset: boolean, facts: Facts): BoolParameter {
  return { type: 'bool', default: preset, ...facts };
}

/** A 32-bit integer; 0 … 2^31-1 unless told otherwise. */
export function int(preset: number, facts: NumberFacts): NumberParameter {
  return { type: 'int', default: preset, min: 0, max: intMax, ...facts };
}

export function int64(preset: number, facts: NumberFacts): NumberParameter {
  return { type: 'int64', default: preset, min: 0, max: int64Max, ...facts };
}

export function float(preset: number, facts: NumberFacts & { readonly min: number; readonly max: number }): NumberParameter {
  return { type: 'float', default: preset, ...facts };
}

/** A TCP or UDP port; a default of 0 means "not set". */
export function port(preset: number, facts: NumberFacts): NumberParameter {
  return int(preset, { min: 1024, max: 65535, ...facts });
}

export function text(preset: string, facts: Facts): StringParameter {
  return { type: 'string', default: preset, ...facts };
}

export function file(preset: string, facts: Facts): StringParameter {
  return { type: 'string', default: preset, path: true, ...facts };
}

export function password(facts: Facts): StringParameter {
  return { type: 'string', default: '', masked: true, secret: true, ...facts };
}

export function words<Word extends string>(
  numbers: Readonly<Record<Word, number>>,
  preset: NoInfer<Word>,
  facts: Facts & { readonly aliases?: Readonly<Record<string, NoInfer<Word>>>; readonly notYet?: readonly NoInfer<Word>[] },
): EnumParameter<Word> {
  return { type: 'enum', default: preset, words: numbers, ...facts };
}

export function list(preset: readonly string[], facts: Facts & { readonly separator?: ',' | ';' }): ListParameter {
  return { type: 'list', default: preset, separator: ',', ...facts };
}

export function regexList(facts: Facts & { readonly separator?: ',' | ';' }): ListParameter {
  return { type: 'regex list', default: [], separator: ',', ...facts };
}
