/** Entries on their way into pool_passwd. */
import { locatePoolPasswd } from './locate.js';
import { systemUser, checkText } from './tool.js';
import { ToolFailure } from './failure.js';
import { updatePoolPasswd } from './update.js';

export class NewEntries {
  private readonly entries = new Map<string, string>();
  private file: string | null = null;

  constructor(private readonly configFile: string) {}

  /**
   * @param user '' for the operating system's user
   * @param store makes the stored password
   * @throws ToolFailure when pgpool.conf names no file, or there is no password
   */
  add(user: string, password: string, store: (user: string) => string): void {
    this.file ??= locatePoolPasswd(this.configFile);
    const name = user === '' ? systemUser() : user;
    checkText(name, 'username');
    // PostgreSQL has no empty passwords; an entry for one would let everybody in where the server trusts.
    if (password === '') throw new ToolFailure(`Error: the password of user "${name}" is empty!\n`);
    this.entries.set(name, store(name));
  }

  /** @throws ToolFailure */
  async write(): Promise<void> {
    if (this.file !== null) await updatePoolPasswd(this.file, this.configFile, this.entries);
  }
}
