/** What is wrong with a configuration file, and where. */

/** A place in a file. Line 0 is the file as a whole. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface ConfigIssue extends Place {
  /** The key concerned, '' when there is none. */
  readonly key: string;
  readonly message: string;
}

/** One line: file:line: key: message. */
export function issueText({ file, line, key, message }: ConfigIssue): string {
  return `${file}${line > 0 ? `:${line}` : ''}: ${key === '' ? '' : `${key}: `}${message}`;
}

/** Every fault of a configuration file. Its message has one line for each and never holds a password. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly issues: readonly ConfigIssue[]) {
    super(issues.map(issueText).join('\n'));
  }
}

/** Secrets must not reach a log through an error, not even through a misspelt key. */
export function isSecretKey(key: string): boolean {
  return /password|passphrase|authkey|secret/i.test(key);
}
