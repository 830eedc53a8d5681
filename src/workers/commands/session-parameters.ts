/** PGPOOL SET and RESET: parameters that differ in one session from those of the file, until it ends. */
import { errors } from '../../shared/errors.js';
import { findParameter } from '../../shared/parameters/table.js';
import { parseValue, ValueError } from '../../shared/parameters/parse-value.js';
import type { Value } from '../../shared/parameters/kinds.js';
import type { Settings } from '../../shared/settings.js';

export class SessionParameters {
  private readonly own = new Map<string, Value>();

  /** @param base what holds where the session has said nothing */
  constructor(private readonly base: Settings) {}

  /** Sets a parameter, or with null takes it back to what the session began with. @throws PgError */
  change(name: string, text: string | null): void {
    if (text === null) {
      this.parameterOf(name);
      this.own.delete(name);
    } else {
      this.own.set(name, this.parse(name, text));
    }
  }

  /** For `restore`. */
  snapshot(): ReadonlyMap<string, Value> {
    return new Map(this.own);
  }

  restore(before: ReadonlyMap<string, Value>): void {
    this.own.clear();
    for (const [name, value] of before) this.own.set(name, value);
  }

  /** Would `set` take it? @throws PgError */
  check(name: string, text: string | null): void {
    if (text === null) this.parameterOf(name);
    else this.parse(name, text);
  }

  resetAll(): void {
    this.own.clear();
  }

  get current(): Settings {
    return this.own.size === 0 ? this.base : Object.freeze({ ...this.base, ...Object.fromEntries(this.own) });
  }

  private parse(name: string, text: string): Value {
    const parameter = this.parameterOf(name);
    try {
      return parseValue(name, text, parameter);
    } catch (error) {
      if (error instanceof ValueError) throw errors.badParameterValue(error.message);
      throw error;
    }
  }

  private parameterOf(name: string): Parameters<typeof parseValue>[2] {
    const found = findParameter(name);
    if (found === null || typeof found === 'string') throw errors.unrecognizedParameter(name);
    if (found.parameter.change !== 'session' || found.index !== undefined) throw errors.fixedParameter(name);
    return found.parameter;
  }
}
