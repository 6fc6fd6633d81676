const unitBytes: ReadonlyMap<string, number> = new Map(
  Object.entries({ '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }),
);

/** `500MB`, `2GB`, `1.5GiB`; a bare number is bytes. Undefined when it is none of these. */
export function parseBytes(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)([a-z]{0,3})$/.exec(text.toLowerCase()) ?? [];
  const factor = unitBytes.get(unit);
  return count === '' || factor === undefined ? undefined : Math.round(Number(count) * factor);
}
