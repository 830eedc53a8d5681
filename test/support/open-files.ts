/** What a process has open, as Linux tells it. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';

/** What its descriptors stand for; what is closed while we look is left out. Empty where there is no /proc. */
export function openFiles(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((fd) => {
    try {
      return [readlinkSync(`${directory}/${fd}`)];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** The inodes of its sockets, by which the tables in /proc/net name them. */
export function openSockets(pid: number): Set<string> {
  return new Set(openFiles(pid).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}
