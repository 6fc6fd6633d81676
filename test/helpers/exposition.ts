/** A figure of `/metrics` with its labels. */
export interface Sample {
  name: string;
  labels: ReadonlyMap<string, string>;
  value: number;
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|NaN|[+-]Inf)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/**
 * Reads the text format of Prometheus, and is stricter than its reader: each figure stands below its HELP and TYPE, none stands
 * twice, and a histogram has buckets that grow up to its count.
 */
export function parseExposition(text: string): Sample[] {
  if (!text.endsWith('\n')) throw new Error('It does not end with a line');
  const samples: Sample[] = [];
  const kinds = new Map<string, string>();
  const seen = new Set<string>();
  let helped = '';
  for (const each of text.split('\n').filter((found) => found !== '')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(each) ?? [];
    if (keyword === 'HELP') helped = name;
    else if (keyword === 'TYPE') {
      if (helped !== name || kinds.has(name) || !['counter', 'gauge', 'histogram'].includes(rest))
        throw new Error(`Not as it should be: ${each}`);
      kinds.set(name, rest);
    } else {
      const sample = sampleIn(each);
      const base = kinds.get(helped) === 'histogram' ? sample.name.replace(/_(?:bucket|sum|count)$/, '') : sample.name;
      if (base !== helped || seen.has(each.slice(0, each.lastIndexOf(' ')))) throw new Error(`Out of its place: ${each}`);
      seen.add(each.slice(0, each.lastIndexOf(' ')));
      samples.push(sample);
    }
  }
  for (const [name, kind] of kinds) if (kind === 'histogram') checkBuckets(name, samples);
  return samples;
}

function sampleIn(text: string): Sample {
  const [, name, inside = '', number = ''] = line.exec(text) ?? [];
  if (name === undefined) throw new Error(`No sample: ${text}`);
  const labels = new Map<string, string>();
  for (label.lastIndex = 0; label.lastIndex < inside.length;) {
    const [, key, value] = label.exec(inside) ?? [];
    if (key === undefined || value === undefined || labels.has(key)) throw new Error(`Wrong labels: ${text}`);
    labels.set(key, value);
  }
  return { name, labels, value: number === '+Inf' ? Infinity : Number(number) };
}

function checkBuckets(name: string, samples: readonly Sample[]): void {
  const before = new Map<string, { le: number; count: number }>();
  for (const { name: of, labels, value } of samples) {
    const series = [...labels].filter(([key]) => key !== 'le').join();
    const last = before.get(series) ?? { le: -Infinity, count: 0 };
    const le = labels.get('le') === '+Inf' ? Infinity : Number(labels.get('le'));
    if (of === `${name}_bucket`) {
      if (!(le > last.le) || value < last.count) throw new Error(`The buckets of ${name} do not grow`);
      before.set(series, { le, count: value });
    }
    if (of === `${name}_count` && (last.le !== Infinity || last.count !== value))
      throw new Error(`The count of ${name} is not its last bucket`);
  }
}
