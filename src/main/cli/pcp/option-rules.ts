/** The options of the pcp_* commands: those of Pgpool-II (reference/commands.md section 2) and two of pgloom's. */
import type { OptionRule } from '../../getopt.js';

export interface PcpOptionRule extends OptionRule {
  /** What stands for the value in the usage text. */
  readonly valueName?: string;
  readonly help: string;
  /** Short name of an option that counts only as the first argument (run.ts); getopt knows just its long name, for abbreviations. */
  readonly firstLetter?: string;
}

export const optionRules = [
  { name: 'help', firstLetter: '?', takesValue: false, help: 'print this help; only as the first argument' },
  { name: 'debug', letter: 'd', takesValue: false, help: 'print the messages sent and received' },
  { name: 'version', firstLetter: 'V', takesValue: false, help: 'print the version; only as the first argument' },
  { name: 'host', letter: 'h', takesValue: true, valueName: 'HOSTNAME', help: 'host, or directory of the Unix socket; without it the one in /tmp' },
  { name: 'port', letter: 'p', takesValue: true, valueName: 'PORT', help: 'PCP port, 9898 by default' },
  { name: 'process-id', letter: 'P', takesValue: true, valueName: 'PID', help: 'process to ask about; all without it' },
  { name: 'username', letter: 'U', takesValue: true, valueName: 'NAME', help: 'user of pcp.conf; by default the user of the operating system' },
  { name: 'no-password', letter: 'w', takesValue: false, help: 'never ask for the password' },
  { name: 'password', letter: 'W', takesValue: false, help: 'ask for the password even if it stands in .pcppass' },
  { name: 'mode', letter: 'm', takesValue: true, valueName: 'MODE', help: 'smart (the default), fast or immediate' },
  { name: 'scope', letter: 's', takesValue: true, valueName: 'SCOPE', help: 'local (the default) or cluster: all nodes of the watchdog' },
  { name: 'gracefully', letter: 'g', takesValue: false, help: 'wait until the clients have left' },
  { name: 'switchover', letter: 's', takesValue: false, help: 'detach the primary and promote this node in its place' },
  { name: 'verbose', letter: 'v', takesValue: false, help: 'print a line for each value, with its name' },
  { name: 'all', letter: 'a', takesValue: false, help: 'show unused places too' },
  { name: 'node-id', letter: 'n', takesValue: true, valueName: 'NODEID', help: 'number of the node' },
  { name: 'watchdog-id', letter: 'n', takesValue: true, valueName: 'ID', help: 'number of the watchdog node, 0 for the local one; all without it' },
  { name: 'json', takesValue: false, help: 'print one JSON document' },
  { name: 'always-exit-0', takesValue: false, help: "exit as Pgpool-II's commands do: 0 even if the command failed" },
] as const satisfies readonly PcpOptionRule[];

export type OptionName = (typeof optionRules)[number]['name'];

const commonNames: readonly OptionName[] = [
  'help', 'version', 'debug', 'host', 'port', 'username', 'no-password', 'password', 'verbose', 'json', 'always-exit-0',
];

/** The rules of a command that has these options besides the common ones, in the order of Pgpool-II's messages. */
export function rulesWith(names: readonly OptionName[]): readonly (PcpOptionRule & { readonly name: OptionName })[] {
  return optionRules.filter(({ name }) => commonNames.includes(name) || names.includes(name));
}
