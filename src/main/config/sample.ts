/** Text made from the parameter table: the sample configuration files and the README's table. */
import { formatValue, quoted } from '../../shared/parameters/format.js';
import { highestIndex, int64Max, intMax, type NumberParameter, type Parameter } from '../../shared/parameters/kinds.js';
import { type Section, sections } from '../../shared/parameters/table.js';
import { generalKind, type SampleKind, sampleExamples } from './sample-kinds.js';

const rule = `#${'-'.repeat(78)}`;
const changeText = { start: 'needs a restart', reload: 'needs a reload', session: 'needs a reload, or PGPOOL SET in a session' } as const;
const indent = ' '.repeat(35);

function sampleValue(parameter: Parameter): string {
  const value = formatValue(parameter, parameter.default);
  return typeof parameter.default === 'number' || typeof parameter.default === 'boolean' || parameter.type === 'enum' ? value : quoted(value);
}

function notes(name: string, parameter: Parameter, isSet: boolean): string[] {
  const unit = 'unit' in parameter && parameter.unit !== undefined ? `; without a unit in ${parameter.unit}` : '';
  const allowed = range(parameter).replaceAll('…', 'to').replaceAll('`', '');
  return [
    parameter.meaning,
    ...(allowed === '' ? [] : [`${allowed}${unit}`]),
    ...(isSet ? [`default: ${sampleValue(parameter)}`] : []),
    ...(sampleExamples[name] === undefined ? [] : [`for example ${sampleExamples[name]}`]),
    `a change ${changeText[parameter.change]}${parameter.actedOn === true ? '' : '; pgloom does not act on it yet'}`,
  ].map((text) => `${indent}# ${text}`);
}

function sampleSection({ title, parameters, indexed }: Section, settings: SampleKind['settings']): string {
  const head = [rule, `# ${title}`, ...(indexed === undefined ? [] : [`# The number at the end of each key is the node's, 0 to ${highestIndex[indexed]}.`]), rule];
  const body = Object.entries(parameters).flatMap(([name, parameter]) => {
    const key = `${name}${indexed === undefined ? '' : '0'}`;
    const set = settings[key];
    return [set === undefined ? `#${key} = ${sampleValue(parameter)}` : `${key} = ${set}`, ...notes(name, parameter, set !== undefined)];
  });
  return [...head, '', ...body, ''].join('\n');
}

/** A pgpool.conf in which every parameter is there, commented out, with its default; but for what the kind sets. */
export function sampleConfig(kind: SampleKind = generalKind): string {
  const head = [
    '# pgpool.conf of pgloom.',
    ...kind.purpose.map((line) => `# ${line}`),
    '#',
    '# key = value, one or more on a line; strings stand in single quotes, a quote inside is doubled.',
    '# Times take us, ms, s, min, h, d and sizes take B, kB, MB, GB, TB. What is said last holds.',
    "# include = 'file' reads another file, relative to this one.",
    '#',
    '# A line that begins with # is a comment: it shows the default, and is changed by taking the # away. A change needs a',
    '# reload (pgpool reload, or SIGHUP) or a restart. `pgpool check-config` says what is wrong with a file.',
    '',
    '',
  ];
  return head.join('\n') + sections.map((section) => sampleSection(section, kind.settings)).join('\n');
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
