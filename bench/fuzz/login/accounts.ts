/** Who tries to log in, and how pgloom asks them. All names begin with fuzz_. */
import { createHash } from 'node:crypto';

export interface Account {
  readonly user: string;
  /** Null: there is no password that would do. */
  readonly password: string | null;
  /** Only over TLS, and only with a certificate that the fuzzer does not have. */
  readonly needsCertificate?: true;
}

const password = 'Grüße, right horse 電池';

export const accounts: readonly Account[] = [
  ...['fuzz_md5', 'fuzz_md5_hash', 'fuzz_scram', 'fuzz_password'].map((user) => ({ user, password })),
  // Without a password in pool_passwd, with an empty one, and unknown to the server as well.
  ...['md5', 'scram', 'password'].flatMap((method) => [`fuzz_${method}_none`, `fuzz_${method}_empty`, `fuzz_${method}_nobody`].map((user) => ({ user, password: null }))),
  ...['fuzz_reject', 'fuzz_no_entry'].map((user) => ({ user, password: null })),
  { user: 'fuzz_cert', password: null, needsCertificate: true },
];

/** Asking the server costs a process of it: those whose passwords it has to judge come seldom. */
export const wrongAccounts: readonly Account[] = [1, 2, 3, 4, 5].flatMap((time) => accounts.filter(({ user }) => time === 1 || !user.startsWith('fuzz_password_')));

export const loginAccounts: readonly Account[] = accounts.filter((account) => account.password !== null);

/** The server has an md5 hash of the password, and a verifier of the others'. */
export const hasMd5Hash = ({ user, password: own }: Account): boolean => own !== null && user.includes('md5');

/** Of those who let themselves be asked but have no right answer; used with every account now and then. */
export const wrongPasswords: readonly string[] = ['', 'wrong', password.slice(0, -1), `${password} `, password.toLowerCase(), 'x'.repeat(900), 'md5', 'TEXT'];

/** What must never be found in a log. */
export const secrets: readonly string[] = [password, md5Of('fuzz_md5'), md5Of('fuzz_md5_hash'), Buffer.from(password).toString('base64')];

/** As our names have it, and as the files call it. */
const methods = [['md5', 'md5'], ['scram', 'scram-sha-256'], ['password', 'password']] as const;

function usersOf(method: string): string {
  return ['', '_hash', '_none', '_empty', '_nobody'].map((suffix) => `fuzz_${method}${suffix}`).join(',');
}

/** @param directory words of a rule that asks LDAP: for those of method password, and for every name that stands nowhere */
export function poolHba(directory?: string): string {
  return `
${['local', 'host'].map((type) => {
    const from = type === 'local' ? '' : 'all ';
    const wordOf = (method: string, word: string): string => (method === 'password' ? directory ?? word : word);
    return `${type} all fuzz_reject ${from}reject
${methods.map(([method, word]) => `${type} all ${usersOf(method)} ${from}${wordOf(method, word)}`).join('\n')}
${type} all postgres ${from}trust`;
  }).join('\n')}
hostssl all fuzz_cert all cert
${directory === undefined ? '' : `local all all ${directory}\nhost all all all ${directory}\n`}`;
}

export const poolPasswd = `fuzz_md5:TEXT${password}
fuzz_md5_hash:${md5Of('fuzz_md5_hash')}
fuzz_scram:TEXT${password}
fuzz_password:TEXT${password}
fuzz_md5_empty:TEXT
fuzz_scram_empty:TEXT
fuzz_password_empty:TEXT
`;

/** Entries of an LDAP directory below ou=people: one who has the password, and those who have none, or an empty one. */
export const people = ['fuzz_password', 'fuzz_password_none', 'fuzz_password_empty'].map((user) => `dn: uid=${user},ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ${user}
cn: ${user}
sn: F
${{ fuzz_password: `userPassword:: ${Buffer.from(password).toString('base64')}`, fuzz_password_empty: 'userPassword:' }[user] ?? 'description: no password'}
`).join('\n');

/** pg_hba.conf of a server that asks for the passwords itself. */
export const pgHba = `${methods.map(([method, word]) => `host all ${usersOf(method)} 127.0.0.1/32 ${word}`).join('\n')}
host all fuzz_reject 127.0.0.1/32 reject
host all postgres 127.0.0.1/32 trust`;

/** Makes the roles that exist at the servers; they are left as they are where they exist. */
export const rolesSql = `set password_encryption = 'scram-sha-256';
${accounts.filter(({ user }) => !user.endsWith('nobody')).map((account) => {
  const { user, password: own } = account;
  const secret = own === null ? 'null' : `'${hasMd5Hash(account) ? md5Of(user) : own}'`;
  return `do $$ begin create role ${user} login password ${secret}; exception when duplicate_object then null; end $$;`;
}).join('\n')}`;

export const dropRolesSql = accounts.map(({ user }) => `drop role if exists ${user};`).join('\n');

function md5Of(user: string): string {
  return `md5${createHash('md5').update(password).update(user).digest('hex')}`;
}
