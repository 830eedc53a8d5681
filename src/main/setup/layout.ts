/** The facts of one set-up that all its files are made from. */
import { userInfo } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Identity } from '../demo/unprivileged.js';
import type { ServerPrograms } from './server-programs.js';
import type { SetupOptions } from './setup-options.js';

export interface Layout {
  readonly directory: string;
  readonly options: SetupOptions;
  /** Where the data directories are: `directory`, or another set-up's with -e. */
  readonly serversDirectory: string;
  /** Absent with -e. */
  readonly programs: ServerPrograms | null;
  /** Whose identity the servers have; undefined when it is ours. */
  readonly identity: Identity | undefined;
  /** Name of the operating system's user: PostgreSQL's superuser, PCP's user and its password. */
  readonly user: string;
  readonly socketDirectory: string;
  /** The pgpool command and its arguments so far. */
  readonly pgpoolCommand: readonly string[];
  /** The program behind all pcp_* names, unless they are in `pcpDirectory`. */
  readonly pcpProgram: string;
  readonly pcpDirectory: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Further lines of pgpool.conf. */
  readonly moreSettings: Readonly<Record<string, string | number | boolean>>;
}

export const replicationSlotOf = (node: number): string => `server${node}`;
export const dataDirectoryOf = (layout: Layout, node: number): string => path.join(layout.serversDirectory, `data${node}`);
export const serverPortOf = ({ options }: Layout, node: number): number => options.serverPort + node;
export const nodeNumbers = ({ options }: Layout): number[] => Array.from({ length: options.nodes }, (_, node) => node);

/** PGPOOL_INSTALL_DIR/bin where it is set, otherwise the programs that belong to this one, run by the same Node.js. */
export function commandsOf(environment: Layout['environment']): Pick<Layout, 'pgpoolCommand' | 'pcpProgram' | 'pcpDirectory'> {
  const installed = environment['PGPOOL_INSTALL_DIR'] ?? '';
  const pcpProgram = fileURLToPath(new URL('../cli/pcp.js', import.meta.url));
  if (installed !== '') {
    const bin = path.resolve(installed, 'bin');
    return { pgpoolCommand: [path.join(bin, 'pgpool')], pcpProgram, pcpDirectory: bin };
  }
  return { pgpoolCommand: [process.execPath, fileURLToPath(new URL('../pgpool.js', import.meta.url))], pcpProgram, pcpDirectory: null };
}

export function operatingSystemUser(): string {
  return userInfo().username;
}
