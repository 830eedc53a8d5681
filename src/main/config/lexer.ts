/**
 * Splits the text of pgpool.conf into assignments. The rules are those of Pgpool-II's lexer (pool_config.l):
 * `=` is optional, several assignments may share a line, an unquoted value is a word or a number. Different on
 * purpose: '' inside a string is a quote, and a key without a value is an error.
 */
import { isSecretKey } from './errors.js';

export interface Assignment {
  readonly line: number;
  readonly key: string;
  /** Without the quotes around it. */
  readonly value: string;
  /** A secret key that stands before this one on the line: then this "key" may be the rest of a password. '' if none. */
  readonly afterSecret: string;
}

export interface LexerIssue {
  readonly line: number;
  readonly key: string;
  readonly message: string;
}

const keyPattern = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*/y;
const wordPattern = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff\-.:/]*/y;
/** A number, perhaps with letters glued on as its unit. */
const numberPattern = /[+-]?(?:0x[\da-fA-F]+[A-Za-z]*|\d*\.\d*(?:[eE][+-]?\d+)?|\d+[A-Za-z]*)/y;
/** A backslash keeps the next character from ending the string, and stays. */
const stringPattern = /'(?:\\[^\n\0]|''|[^'\\\n\0])*'/y;
const blankPattern = /[ \t\r\f\v]*(?:#[^\n]*)?/y;
const spacePattern = /[ \t\r\f\v]*/y;

class Lexer {
  readonly assignments: Assignment[] = [];
  readonly issues: LexerIssue[] = [];
  private at = 0;
  private line = 1;
  private lastKey = '';
  private secret = '';

  constructor(private readonly text: string) {}

  private take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.at += found.length;
    return found;
  }

  /** Notes a fault and goes on with the next line, so that one reading finds every fault. */
  private fault(message: string): void {
    const end = this.text.indexOf('\n', this.at);
    const rest = this.text.slice(this.at, end === -1 ? undefined : end).trim();
    const near = rest.length > 30 ? `${rest.slice(0, 30)}…` : rest;
    const shown = this.secret === '' && near !== '' ? ` near "${near}"` : '';
    this.issues.push({ line: this.line, key: this.secret || this.lastKey, message: `${message}${shown}` });
    this.at = end === -1 ? this.text.length : end;
  }

  private value(): string | null {
    const string = this.take(stringPattern);
    if (string !== null) return string.slice(1, -1).replaceAll(/\\.|''/g, (pair) => (pair === "''" ? "'" : pair));
    const bare = this.take(wordPattern) ?? this.take(numberPattern);
    const next = this.text[this.at];
    if (bare === null || bare === '.' || (next !== undefined && !/[\s#]/.test(next))) {
      this.at -= bare?.length ?? 0;
      return null;
    }
    return bare;
  }

  private assignment(): void {
    const key = this.take(keyPattern);
    if (key === null) return this.fault('syntax error');
    const afterSecret = this.secret;
    this.lastKey = key;
    if (isSecretKey(key)) this.secret = key;
    this.take(spacePattern);
    if (this.text[this.at] === '=') this.at++;
    this.take(spacePattern);
    const next = this.text[this.at] ?? '\n';
    if (next === '\n' || next === '#') return this.fault('the value is missing');
    const value = this.value();
    if (value === null) return this.fault(next === "'" ? 'syntax error: the string has no end' : 'syntax error: put the value in single quotes,');
    this.assignments.push({ line: this.line, key, value, afterSecret });
  }

  run(): void {
    while (this.at < this.text.length) {
      this.take(blankPattern);
      if (this.at >= this.text.length) return;
      if (this.text[this.at] === '\n') {
        this.at++;
        this.line++;
        this.lastKey = this.secret = '';
      } else {
        this.assignment();
      }
    }
  }
}

/** Reads a whole file's text; issues are faults of form only, with their line and, when known, key. */
export function lex(text: string): { assignments: readonly Assignment[]; issues: readonly LexerIssue[] } {
  const lexer = new Lexer(text.replace(/^\uFEFF/, ''));
  lexer.run();
  return { assignments: lexer.assignments, issues: lexer.issues };
}
