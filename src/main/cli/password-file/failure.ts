/** Why pg_md5 or pg_enc ends early. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';

  /**
   * @param message for the standard error, with its line ends
   * @param withUsage the usage text follows
   */
  constructor(message: string, readonly status = 1, readonly withUsage = false) {
    super(message);
  }
}

/** As Pgpool-II's tools tell what is not quite right. */
export function warningText(message: string): string {
  return `WARNING: pid ${process.pid}: ${message}`;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory', EACCES: 'Permission denied', EPERM: 'Operation not permitted', ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory', EROFS: 'Read-only file system', ENOSPC: 'No space left on device', ELOOP: 'Too many levels of symbolic links',
};

/** What strerror(3) says of the usual errors; the code of others. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
  return reasons[code] ?? code;
}
