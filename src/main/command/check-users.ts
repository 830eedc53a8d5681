/** The users as whom pgpool looks for the primary and checks the nodes: whether they have a password. Nobody connects here. */
import type { Settings } from '../../shared/settings.js';

interface CheckUser {
  /** `sr_check`, `health_check`: what the names of its parameters begin with. */
  readonly prefix: string;
  /** A node's number where the parameters have one, else ''. */
  readonly node: string;
  readonly user: string;
  readonly password: string;
}

/** One warning for a user, though several parameters name it. */
export function checkUserWarnings(settings: Settings, passwords: ReadonlyMap<string, string>): string[] {
  const warnings = usersOf(settings).filter(({ user, password }) => user !== '' && password === '' && (passwords.get(user) ?? '') === '');
  const first = new Map(warnings.toReversed().map((entry) => [entry.user, entry]));
  return [...first.values()].toReversed().map((entry) => warningOf(entry, settings));
}

function usersOf({ sr_check_user: user, sr_check_password: password, backends }: Settings): CheckUser[] {
  const nodes = backends.map(({ id, health_check: { user: own, password: ownPassword } }) => ({ prefix: 'health_check', node: String(id), user: own, password: ownPassword }));
  // Without a number where all nodes have the same.
  const isOne = new Set(nodes.map((node) => JSON.stringify([node.user, node.password]))).size === 1;
  return [{ prefix: 'sr_check', node: '', user, password }, ...(isOne ? nodes.slice(0, 1).map((node) => ({ ...node, node: '' })) : nodes)];
}

function warningOf({ prefix, node, user }: CheckUser, { configFile, sr_check_user: roleUser }: Settings): string {
  const what = prefix === 'sr_check' || roleUser === '' ? 'pgpool cannot find out which node is the primary' : 'its health checks cannot log in';
  return `${configFile}: ${prefix}_user${node}: user "${user}" has no password (${prefix}_password${node} is empty, and pool_passwd has no line of it): if the servers ask for a password, ${what}`;
}
