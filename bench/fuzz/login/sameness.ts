/**
 * What a client could learn of a user without knowing his password: refusals are to be the same for those who exist, those who do
 * not, and those who have no password; the salt of SCRAM is one for each name, and the salt of md5 is another one each time.
 */
export class Sameness {
  /** How one was asked → refusal → who got it first. */
  private readonly refusals = new Map<string, Map<string, string>>();
  private readonly users = new Map<string, Set<string>>();
  private readonly salts = new Map<string, Set<string>>();
  private readonly md5Salts = new Map<string, string>();
  private readonly iterations = new Set<number>();
  private readonly repeated = new Set<string>();

  /**
   * Whom a client with a wrong password said to be, and how that went.
   * @param asked method, and whatever else makes pgloom speak otherwise without its knowing the user
   * @param text all that the client was told, its own name left out
   */
  addRefusal(asked: string, text: string, user: string): void {
    const texts = entry(this.refusals, asked, () => new Map<string, string>());
    if (!texts.has(text)) texts.set(text, user);
    entry(this.users, asked, () => new Set()).add(user);
  }

  addScramSalt(user: string, salt: string, iterations: number): void {
    entry(this.salts, user, () => new Set()).add(salt);
    this.iterations.add(iterations);
  }

  /** Four random bytes: the same ones twice in a row are no chance. */
  addMd5Salt(user: string, salt: string): void {
    if (this.md5Salts.get(user) === salt) this.repeated.add(user);
    this.md5Salts.set(user, salt);
  }

  /** By how one was asked, those whose refusals were compared. */
  compared(): Record<string, string[]> {
    return Object.fromEntries([...this.users].map(([asked, users]) => [asked, [...users].toSorted()]));
  }

  /** By what users can be told apart; nothing when all is well. */
  differences(): string[] {
    const told = [...this.refusals].filter(([, texts]) => texts.size > 1)
      .map(([asked, texts]) => `${asked}: ${[...texts].map(([text, user]) => `${user} was told ${JSON.stringify(text)}`).join('; ')}`);
    const several = [...this.salts].filter(([, salts]) => salts.size > 1).map(([user, salts]) => `${user} was shown ${salts.size} salts`);
    const owners = new Map<string, string[]>();
    for (const [user, salts] of this.salts) for (const salt of salts) entry(owners, salt, () => []).push(user);
    const shared = [...owners.values()].filter((users) => users.length > 1).map((users) => `${users.join(' and ')} were shown the same salt`);
    const again = [...this.repeated].map((user) => `${user} was shown the same md5 salt twice`);
    const rounds = this.iterations.size > 1 ? [`iterations tell users apart: ${[...this.iterations].join(', ')}`] : [];
    return [...told, ...several, ...shared, ...again, ...rounds];
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
