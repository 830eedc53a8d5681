#!/usr/bin/env node
/** pg_enc: passwords encrypted with the key of the key file, for pool_passwd and pgpool.conf (reference/commands.md section 3). */
import { aesPassword } from '../../shared/auth/aes-password.js';
import { defaultKeyFile, maxKeyBytes, readKeyFile } from '../access/key-file.js';
import { defaultConfigFile } from '../command/options.js';
import { getopt, type OptionRule } from '../getopt.js';
import { ToolFailure, warningText } from './password-file/failure.js';
import type { NewEntries } from './password-file/new-entries.js';
import { readPairs } from './password-file/pairs.js';
import { askAtTerminal, checkedUser, checkText, maxPasswordBytes, maxUserBytes, newEntries, runTool } from './password-file/tool.js';
import { encUsage } from './password-file/usage.js';

const rules = [
  { name: 'help', letter: 'h', takesValue: false },
  { name: 'prompt', letter: 'p', takesValue: false },
  { name: 'prompt-for-key', letter: 'P', takesValue: false },
  { name: 'update-pass', letter: 'm', takesValue: false },
  { name: 'username', letter: 'u', takesValue: true },
  { name: 'enc-key', letter: 'K', takesValue: true },
  { name: 'key-file', letter: 'k', takesValue: true },
  { name: 'config-file', letter: 'f', takesValue: true },
  { name: 'input-file', letter: 'i', takesValue: true },
] as const satisfies readonly OptionRule[];

interface Options {
  user: string;
  configFile: string;
  keyFile: string;
  key: string;
  inputFile: string | undefined;
  update: boolean;
  prompt: boolean;
  promptForKey: boolean;
  /** What is no option: the password is the first. */
  words: readonly string[];
}

const usage = encUsage();
await runTool('pg_enc', usage, async () => {
  const options = takeOptions();
  if (options === null) {
    process.stdout.write(usage);
    return;
  }
  const { user, configFile, inputFile, prompt, words: [word] } = options;
  const entries = options.update ? await newEntries(configFile) : null;
  const password = inputFile === undefined ? checkedPassword(prompt || word === undefined ? await askAtTerminal('db password: ') : word) : '';
  const key = await takeKey(options);
  if (inputFile !== undefined) takePairs(inputFile, key, entries);
  else take(user, password, key, entries);
  await entries?.write();
});

/** Null for -h. @throws OptionError, ToolFailure */
function takeOptions(): Options | null {
  const { options: given, words, fault } = getopt(process.argv.slice(2), rules);
  const options: Options = {
    user: '', configFile: defaultConfigFile, keyFile: '', key: '', inputFile: undefined, update: false, prompt: false, promptForKey: false, words,
  };
  for (const { rule, value } of given) {
    switch (rule.letter) {
      case 'h': return null;
      case 'p': options.prompt = true; break;
      case 'P': options.promptForKey = true; break;
      case 'm': options.update = true; break;
      case 'u': options.user = checkedUser(value); break;
      case 'K': options.key = value; break;
      case 'k': options.keyFile = value; break;
      case 'f': options.configFile = value; break;
      case 'i': options.inputFile = value; break;
    }
  }
  if (fault !== null) throw fault;
  return options;
}

function checkedPassword(password: string): string {
  const lengthBytes = Buffer.byteLength(password);
  if (lengthBytes > maxPasswordBytes) throw new ToolFailure(`Error: Input exceeds maximum password length given:${lengthBytes} max allowed:${maxPasswordBytes}!\n\n`, 1, true);
  checkText(password, 'password');
  return password;
}

/** Typed, from the command line, or from a file, in this order. @throws ToolFailure when there is none */
async function takeKey({ promptForKey, key: given, keyFile }: Options): Promise<Buffer> {
  if (promptForKey || given !== '') {
    const key = promptForKey ? await askAtTerminal('encryption key: ') : given;
    checkText(key, 'encryption key');
    // Of a longer one, pgpool would read just the beginning from its key file.
    if (Buffer.byteLength(key) > maxKeyBytes) throw new ToolFailure(`Error: encryption key is longer than ${maxKeyBytes} bytes!\n`);
    if (key !== '') return Buffer.from(key);
  } else {
    const file = keyFile === '' ? defaultKeyFile(process.env) : keyFile;
    process.stdout.write(`trying to read key from file ${file}\n`);
    const { key, reason, warnings } = readKeyFile(file);
    for (const warning of warnings) process.stderr.write(`${warningText(warning)}\n\n`);
    if (key !== null) return key;
    if (warnings.length === 0 && reason !== 'there is no such file') process.stderr.write(`${warningText(`pool key file "${file}": ${reason}`)}\n\n`);
  }
  throw new ToolFailure('encryption key not provided\n');
}

function take(user: string, password: string, key: Buffer, entries: NewEntries | null): void {
  const stored = aesPassword(password, key);
  if (entries === null) process.stdout.write(`\n${stored.slice('AES'.length)}\npool_passwd string: ${stored}\n`);
  else entries.add(user, password, () => stored);
}

function takePairs(file: string, key: Buffer, entries: NewEntries | null): void {
  process.stdout.write(`trying to read username:password pairs from file ${file}\n`);
  for (const line of readPairs(file)) {
    const fault = (text: string): void => void process.stderr.write(`LINE#${String(line.number).padStart(2, '0')}: ${text}\n`);
    switch (line.kind) {
      case 'blank': break;
      case 'long user': fault(`input exceeds maximum username length ${maxUserBytes}`); break;
      case 'long password': fault(`input exceeds maximum password length ${maxPasswordBytes}`); break;
      case 'invalid': fault('invalid username:password pair'); break;
      case 'pair':
        // Pgpool-II would give the password of nobody to whoever runs this.
        if (line.user === '' && entries !== null) fault('invalid username:password pair');
        else take(line.user, line.password, key, entries);
    }
  }
}
