/**
 * What a client could learn of a user without knowing his password: refusals are to be the same for those who exist, those who do
 * not, and those who have no password; and the salt of one name is always the same.
 */
export class Sameness {
  /** Method → refusal → who got it. */
  private readonly refusals = new Map<string, Map<string, string>>();
  private readonly salts = new Map<string, Set<string>>();

  /** @param text all that the client was told, its own name left out */
  refused(method: string, text: string, user: string): void {
    const known = this.refusals.get(method) ?? new Map<string, string>();
    if (!known.has(text)) known.set(text, user);
    this.refusals.set(method, known);
  }

  salted(user: string, salt: string, iterations: number): void {
    const known = this.salts.get(user) ?? new Set<string>();
    known.add(`${iterations}:${salt}`);
    this.salts.set(user, known);
  }

  /** Names for which more than one was seen. */
  differences(): string[] {
    const refusals = [...this.refusals].filter(([, texts]) => texts.size > 1)
      .map(([method, texts]) => `${method}: ${[...texts].map(([text, user]) => `${user} was told ${JSON.stringify(text)}`).join('; ')}`);
    const salts = [...this.salts].filter(([, seen]) => seen.size > 1).map(([user, seen]) => `${user} was shown ${seen.size} salts`);
    const iterations = new Set([...this.salts.values()].flatMap((seen) => [...seen]).map((text) => text.slice(0, text.indexOf(':'))));
    return [...refusals, ...salts, ...(iterations.size > 1 ? [`iterations tell users apart: ${[...iterations].join(', ')}`] : [])];
  }
}
