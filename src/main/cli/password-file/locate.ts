/** Where pool_passwd is: pgpool.conf says so. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { buildSettings } from '../../config/build.js';
import { issueText } from '../../config/errors.js';
import { readAssignments } from '../../config/include.js';
import { parseAssignments } from '../../config/parse.js';
import { ToolFailure, warningText } from './failure.js';

const giveUp = 'Unable to get configuration. Exiting...\n\n';

/**
 * Faults of other parameters are none here: a password can be set before the rest is right.
 * @returns the absolute path
 * @throws ToolFailure when the configuration cannot be read, or names no file
 */
export function locatePoolPasswd(configFile: string): string {
  const file = path.resolve(configFile);
  const { assignments, issues } = readAssignments(file);
  const parsed = parseAssignments(assignments);
  const faults = [...issues, ...parsed.issues.filter(({ key }) => key === 'pool_passwd')];
  if (faults.length > 0) {
    const texts = existsSync(file) ? faults.map(issueText) : [`could not open configuration file: "${configFile}"`];
    throw new ToolFailure(`${texts.map((text) => `${warningText(text)}\n`).join('')}${giveUp}`);
  }
  const { pool_passwd: poolPasswd, configDirectory } = buildSettings(parsed, file);
  if (poolPasswd === '') throw new ToolFailure(`${warningText(`pool_passwd is empty in "${configFile}": there is no file to write to`)}\n${giveUp}`);
  return path.resolve(configDirectory, poolPasswd);
}
