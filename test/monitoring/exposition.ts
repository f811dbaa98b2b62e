/** A strict reader of Prometheus' text format, version 0.0.4: what it does not know is an error. */

export interface Metric {
  readonly type: string;
  readonly help: string;
  /** By labels as they stand, names behind the metric's own with a suffix: `_bucket{le="1"}`. */
  readonly values: Map<string, number>;
}

const HELP = /^# HELP ([a-z_]+) (\S.*\S)$/;
const TYPE = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/;
const VALUE = /^([a-z_]+)((?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) (-?[0-9.e+-]+)$/;

export function readExposition(text: string): Map<string, Metric> {
  const metrics = new Map<string, Metric>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('expected a line feed at the end');
  let name = '';
  for (const [index, line] of lines.entries()) {
    const [, helped, help = ''] = HELP.exec(line) ?? [];
    if (helped !== undefined) {
      const [, typed, type = ''] = TYPE.exec(lines[index + 1] ?? '') ?? [];
      if (typed !== helped) throw new Error(`expected the type of ${helped} behind its help`);
      if (metrics.has(helped)) throw new Error(`${helped} is there twice`);
      if ((type === 'counter') !== helped.endsWith('_total')) throw new Error(`${helped} is a ${type}`);
      metrics.set(helped, { type, help, values: new Map() });
      name = helped;
      continue;
    }
    // Before the next metric.
    if (line === '' || TYPE.test(line)) continue;
    const [, full = '', labels = '', value] = VALUE.exec(line) ?? [];
    const metric = metrics.get(name);
    const suffix = full.slice(name.length);
    const suffixes = metric?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (metric === undefined || !full.startsWith(name) || !suffixes.includes(suffix)) throw new Error(line);
    if (metric.values.has(suffix + labels)) throw new Error(`twice: ${line}`);
    metric.values.set(suffix + labels, Number(value));
  }
  for (const [each, { values }] of metrics) if (values.size === 0) throw new Error(`${each} has no value`);
  return metrics;
}

export function sampleOf(metrics: Map<string, Metric>, name: string, labels = ''): number | undefined {
  return metrics.get(name)?.values.get(labels);
}
