/**
 * Descriptor 2 of a process in the background. While it starts, it is the standard error of whoever started it, who
 * shall see what goes wrong; afterwards it is /dev/null, or the log file that a log collector has put there.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { replaceDescriptor } from '../observe/standard-error.js';

const STDERR = 2;

function identity(): string {
  const { dev, ino, rdev } = fstatSync(STDERR, { bigint: true });
  return `${dev} ${ino} ${rdev}`;
}

/** The standard error that this process was given. */
export class GivenStandardError {
  private readonly given = identity();

  /** False when something else has been put in its place. */
  get isInPlace(): boolean {
    return identity() === this.given;
  }

  /** Puts /dev/null in its place; the starter's terminal or pipe is free then. */
  letGo(): void {
    if (!this.isInPlace) return;
    const nowhere = openSync('/dev/null', 'r+');
    replaceDescriptor(nowhere, STDERR);
    closeSync(nowhere);
  }
}
