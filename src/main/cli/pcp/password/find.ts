/** Where the password comes from: -W asks, else .pcppass, else it is asked for unless -w forbids it. */
import { passFileHost } from '../client/address.js';
import type { PcpOptions } from '../options.js';
import { passFilePath, passwordFromFile } from './pass-file.js';
import { promptPassword } from './prompt.js';

/** '' when there is none: the server judges. */
export async function findPassword(options: PcpOptions, user: string, environment: NodeJS.ProcessEnv, warn: (text: string) => void): Promise<string> {
  if (options.prompt === 'always') return promptPassword();
  const path = passFilePath(environment);
  const question = { host: passFileHost(options), port: options.port, user };
  const password = path === undefined ? undefined : passwordFromFile(path, question, warn);
  if (password !== undefined) return password;
  return options.prompt === 'never' ? '' : promptPassword();
}
