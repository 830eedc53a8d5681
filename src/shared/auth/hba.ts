/** Rules of pool_hba.conf as the workers need them; parsed by src/main/access/pool-hba.ts. */

/** How a rule wants clients to prove themselves. */
export type HbaMethod = 'trust' | 'reject' | 'md5' | 'scram-sha-256' | 'password' | 'cert' | 'pam' | 'ldap';

export interface HbaRule {
  readonly type: 'local' | 'host' | 'hostssl' | 'hostnossl';
  readonly databases: readonly HbaName[];
  readonly users: readonly HbaName[];
  /** null for `local`. */
  readonly address: HbaAddress | null;
  readonly method: HbaMethod;
  /** As written; what is allowed, and together with what, is checked by src/main/access/hba-options.ts. */
  readonly options: Readonly<Record<string, string>>;
  /** Where it stands, for messages. */
  readonly file: string;
  readonly line: number;
}

/** A quoted keyword is a plain name. Keywords: all, sameuser; replication, which matches no client. */
export interface HbaName {
  readonly name: string;
  readonly keyword: boolean;
}

export type HbaAddress =
  | { readonly kind: 'all' | 'samehost' | 'samenet' }
  | { readonly kind: 'network'; readonly family: 4 | 6; readonly bytes: readonly number[]; readonly mask: readonly number[] }
  | { readonly kind: 'name'; readonly name: string };
