/** What -? prints. */
import type { PcpCommand } from './command.js';
import { rulesWith, type PcpOptionRule } from './option-rules.js';

export function usageText(command: PcpCommand): string {
  const argument = command.id === undefined ? '' : ` [${command.id}]`;
  const lines = rulesWith(command.options).map(optionLine);
  return `${command.name} - ${command.summary}\nUsage:\n${command.name} [OPTION...]${argument}\nOptions:\n${lines.join('')}\n`;
}

function optionLine(rule: PcpOptionRule): string {
  const short = rule.letter ?? rule.firstLetter;
  const letter = short === undefined ? '    ' : `-${short}, `;
  const name = `  ${letter}--${rule.name}${rule.takesValue ? `=${rule.valueName ?? 'VALUE'}` : ''}`;
  return `${name.padEnd(25)}${rule.help}\n`;
}
