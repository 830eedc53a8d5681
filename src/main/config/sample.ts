/** Text made from the parameter table: the sample configuration file and the README's table. */
import { formatValue, quoted } from '../../shared/parameters/format.js';
import { highestIndex, int64Max, intMax, type NumberParameter, type Parameter } from '../../shared/parameters/kinds.js';
import { type Section, sections } from '../../shared/parameters/table.js';

const rule = `#${'-'.repeat(78)}`;
const changeText = { start: 'at restart', reload: 'at reload', session: 'at reload, or in a session' } as const;

function sampleValue(parameter: Parameter): string {
  const value = formatValue(parameter, parameter.default);
  return typeof parameter.default === 'number' || typeof parameter.default === 'boolean' || parameter.type === 'enum' ? value : quoted(value);
}

function notes(parameter: Parameter): string[] {
  const lines = [parameter.meaning];
  if (parameter.type === 'enum') lines.push(`one of: ${Object.keys(parameter.words).join(', ')}`);
  const line = `(takes effect ${changeText[parameter.change]}${parameter.actedOn === true ? '' : '; pgloom does not act on it yet'})`;
  return [...lines, line].map((text) => `                                   # ${text}`);
}

function sampleSection({ title, parameters, indexed }: Section): string {
  const head = [rule, `# ${title}`, ...(indexed === undefined ? [] : [`# The number at the end of each key is the node's, 0 to ${highestIndex[indexed]}.`]), rule];
  const body = Object.entries(parameters).flatMap(([name, parameter]) => [
    `#${name}${indexed === undefined ? '' : '0'} = ${sampleValue(parameter)}`,
    ...notes(parameter),
  ]);
  return [...head, '', ...body, ''].join('\n');
}

/** A pgpool.conf in which every parameter is there, commented out, with its default. */
export function sampleConfig(): string {
  const head = [
    '# pgpool.conf of pgloom: every parameter with its default.',
    '#',
    '# key = value, one or more on a line; strings stand in single quotes, a quote inside is doubled.',
    '# Times take us, ms, s, min, h, d and sizes take B, kB, MB, GB, TB. What is said last holds.',
    "# include = 'file' reads another file, relative to this one.",
    '',
    '',
  ];
  return head.join('\n') + sections.map(sampleSection).join('\n');
}

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);
const code = (text: string): string => (text === '' ? 'empty' : `\`${cell(text)}\``);

function bounds(parameter: NumberParameter): string {
  const shown = (value: number): string => (value === intMax ? '2^31-1' : value === int64Max ? '2^63-1' : formatValue(parameter, value));
  return `${shown(parameter.min)} … ${shown(parameter.max)}`;
}

function range(parameter: Parameter): string {
  switch (parameter.type) {
    case 'bool':
      return 'on, off';
    case 'enum':
      return Object.keys(parameter.words).join(', ');
    case 'list':
    case 'regex list':
      return `split at \`${parameter.separator}\``;
    case 'string':
      return '';
    default:
      return bounds(parameter);
  }
}

/** The README's table: one Markdown table for each group of parameters. */
export function parameterMarkdown(): string {
  const columns = ['name', 'type', 'default', 'range', 'change', 'acted on', 'meaning'];
  return sections
    .map(({ title, parameters, indexed }) => {
      const rows = Object.entries(parameters).map(([name, parameter]) => {
        const unit = 'unit' in parameter && parameter.unit !== undefined ? ` [${parameter.unit}]` : '';
        const cells = [code(indexed === undefined ? name : `${name}N`), `${parameter.type}${unit}`, code(formatValue(parameter, parameter.default)), cell(range(parameter))];
        return `| ${[...cells, parameter.change, parameter.actedOn === true ? 'yes' : 'not yet', cell(parameter.meaning)].join(' | ')} |`;
      });
      return [`### ${title}`, '', `| ${columns.join(' | ')} |`, `|${columns.map(() => '---').join('|')}|`, ...rows, ''].join('\n');
    })
    .join('\n');
}
