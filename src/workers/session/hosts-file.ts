/** /etc/hosts: the names that addresses have on this machine, whatever a name server says. */
import { readFile } from 'node:fs/promises';

export interface HostsEntry {
  readonly address: string;
  /** The first is the host's name, the others are its aliases. At least one. */
  readonly names: readonly [string, ...string[]];
}

/** In the order of the file; none when it cannot be read. */
export async function hostsEntries(file = '/etc/hosts'): Promise<HostsEntry[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [address = '', name, ...aliases] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    return name === undefined ? [] : [{ address, names: [name, ...aliases] as const }];
  });
}
