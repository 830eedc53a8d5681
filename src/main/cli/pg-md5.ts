#!/usr/bin/env node
/** pg_md5: md5 digests of passwords for pcp.conf, and md5 entries of pool_passwd (reference/commands.md section 3). */
import { md5Hash, pcpMd5 } from '../../shared/auth/md5.js';
import { defaultConfigFile } from '../command/options.js';
import { getopt, type OptionRule } from '../getopt.js';
import { ToolFailure } from './password-file/failure.js';
import type { NewEntries } from './password-file/new-entries.js';
import { type PairLine, readPairs } from './password-file/pairs.js';
import { askAtTerminal, checkedUser, checkText, maxPasswordBytes, maxUserBytes, newEntries, runTool } from './password-file/tool.js';
import { md5Usage } from './password-file/usage.js';

const rules = [
  { name: 'help', letter: 'h', takesValue: false },
  { name: 'prompt', letter: 'p', takesValue: false },
  { name: 'md5auth', letter: 'm', takesValue: false },
  { name: 'username', letter: 'u', takesValue: true },
  { name: 'config-file', letter: 'f', takesValue: true },
  { name: 'input-file', letter: 'i', takesValue: true },
] as const satisfies readonly OptionRule[];

await runTool('pg_md5', md5Usage, async () => {
  let user = '';
  let configFile = defaultConfigFile;
  let inputFile: string | undefined;
  let update = false;
  let prompt = false;
  const { options, words, fault } = getopt(process.argv.slice(2), rules);
  for (const { rule, value } of options) {
    switch (rule.letter) {
      case 'h': process.stdout.write(md5Usage); return;
      case 'p': prompt = true; break;
      case 'm': update = true; break;
      case 'u': user = checkedUser(value); break;
      case 'f': configFile = value; break;
      case 'i': inputFile = value; break;
    }
  }
  if (fault !== null) throw fault;
  const entries = update ? await newEntries(configFile) : null;
  if (inputFile !== undefined) takePairs(inputFile, entries);
  else takePassword(user, prompt ? await askAtTerminal('password: ') : words[0], entries);
  await entries?.write();
});

function takePassword(user: string, password: string | undefined, entries: NewEntries | null): void {
  if (password === undefined) throw new ToolFailure('', 1, true);
  if (Buffer.byteLength(password) > maxPasswordBytes) throw new ToolFailure('Error: Input exceeds maximum password length!\n\n', 1, true);
  checkText(password, 'password');
  if (entries === null) process.stdout.write(`${pcpMd5(password)}\n`);
  else entries.add(user, password, (name) => md5Hash(password, name));
}

function takePairs(file: string, entries: NewEntries | null): void {
  process.stdout.write(`trying to read username:password pairs from file ${file}\n`);
  for (const line of readPairs(file)) {
    process.stdout.write(`LINE#${String(line.number).padStart(2, '0')}: `);
    // Pgpool-II would give the password of nobody to whoever runs this.
    if (line.kind !== 'pair' || (line.user === '' && entries !== null)) {
      process.stdout.write(faultText(line.kind));
      continue;
    }
    const { user, password } = line;
    process.stdout.write(`USER: <${user}>\n`);
    if (entries === null) process.stdout.write(`${pcpMd5(password)}\n`);
    else entries.add(user, password, (name) => md5Hash(password, name));
  }
}

function faultText(kind: PairLine['kind']): string {
  switch (kind) {
    case 'blank': return 'BLANK LINE\n';
    case 'long user': return `input exceeds maximum username length ${maxUserBytes}\n\n`;
    case 'long password': return `input exceeds maximum password length ${maxPasswordBytes}\n`;
    default: return 'Invalid username:password pair\n';
  }
}
