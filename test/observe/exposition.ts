/** Reads Prometheus' text format strictly, by the grammar of its description: for tests. */
import { strict as assert } from 'node:assert';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metrics {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
  /** The sum of all samples of the name that have these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/y;

/** Fails on anything that the format does not allow, and on what is allowed but odd: families apart, samples without a type. */
export function readMetrics(text: string): Metrics {
  assert.ok(text.endsWith('\n'), 'the text ends with a line feed');
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  let family = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const meta = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (meta !== null) {
      const [, what, name, rest] = meta as unknown as [string, string, string, string];
      if (what === 'HELP') {
        assert.ok(!helps.has(name), `${name} has one HELP`);
        helps.add(name);
      } else {
        assert.ok(!types.has(name), `${name} has one TYPE`);
        assert.match(rest, /^(counter|gauge|histogram|summary)$/);
        types.set(name, rest);
      }
      family = name;
      continue;
    }
    const sample = readSample(line);
    assert.ok(family !== '' && types.has(family) && helps.has(family), `a family is described before ${line}`);
    const endings = types.get(family) === 'histogram' ? ['_bucket', '_sum', '_count'] : types.get(family) === 'summary' ? ['_sum', '_count'] : [''];
    assert.ok(endings.some((ending) => sample.name === family + ending), `${sample.name} belongs to the family ${family}`);
    if (types.get(family) === 'counter') assert.match(family, /_total$/);
    const identity = `${sample.name} ${JSON.stringify(sample.labels)}`;
    assert.ok(!seen.has(identity), `${identity} comes once`);
    seen.add(identity);
    samples.push(sample);
  }
  const sum = (name: string, labels: Readonly<Record<string, string>> = {}): number => samples
    .filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((total, { value }) => total + value, 0);
  return { types, samples, sum };
}

function readSample(line: string): Sample {
  const [, name, braces, number] = sampleLine.exec(line) ?? assert.fail(`a sample: ${line}`);
  const labels: Record<string, string> = {};
  const inside = braces === undefined ? '' : braces.slice(1, -1);
  labelPair.lastIndex = 0;
  while (labelPair.lastIndex < inside.length) {
    const [, label, value] = labelPair.exec(inside) ?? assert.fail(`labels: ${line}`);
    labels[label!] = value!.replace(/\\(.)/g, (_all, letter: string) => (letter === 'n' ? '\n' : letter));
  }
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number);
  assert.ok(!Number.isNaN(value), `a number: ${line}`);
  return { name: name!, labels, value };
}
