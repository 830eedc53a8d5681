/**
 * Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Written here and not by a
 * library: those keep every value a second time in a registry of their own and count histograms themselves, while here
 * all values live in shared memory, written by other threads, and are read only when somebody asks.
 */
import { bucketEndsSeconds, type Histogram } from '../../shared/memory/latency-table.js';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';
export type Labels = Readonly<Record<string, string | number>>;

export class Exposition {
  private readonly lines: string[] = [];
  private name = '';

  /** Begins a family: what is added next belongs to it. @param help one line, without a dot at its end */
  family(name: string, type: MetricType, help: string): this {
    this.name = name;
    this.lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`);
    return this;
  }

  /** A sample of the family. */
  sample(value: number, labels: Labels = {}, suffix = ''): this {
    this.lines.push(`${this.name}${suffix}${labelText(labels)} ${valueText(value)}`);
    return this;
  }

  /** All samples of one histogram: buckets, sum and count, in seconds. */
  histogram({ counts, sumMs }: Histogram, labels: Labels = {}): this {
    let count = 0;
    const own = labelText(labels);
    const start = `${this.name}_bucket${own === '' ? '{' : `${own.slice(0, -1)},`}le="`;
    counts.forEach((inBucket, i) => {
      count += inBucket;
      this.lines.push(`${start}${bucketEnds[i] ?? '+Inf'}"} ${count}`);
    });
    return this.sample(sumMs / 1000, labels, '_sum').sample(count, labels, '_count');
  }

  /** A summary without quantiles, in seconds. */
  summary(count: number, sumMs: number, labels: Labels = {}): this {
    return this.sample(sumMs / 1000, labels, '_sum').sample(count, labels, '_count');
  }

  toString(): string {
    return `${this.lines.join('\n')}\n`;
  }
}

const bucketEnds = bucketEndsSeconds.map(String);

function labelText(labels: Labels): string {
  let text = '';
  for (const name of Object.keys(labels)) {
    const value = labels[name] ?? '';
    text += `${text === '' ? '{' : ','}${name}="${typeof value === 'number' ? value : escaped(value)}"`;
  }
  return text === '' ? '' : `${text}}`;
}

function escaped(text: string): string {
  return /[\\\n"]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : text;
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
