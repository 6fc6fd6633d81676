/**
 * npm run faults [-- NAME...] [-- --long]
 *
 * Breaks the built program, in processes of its own, as the README promises that it can be broken, and prints what it saw
 * beside what has to hold. Ends with 1 where something does not.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { rows } from './rows.ts';
import { Scene, type Check, type Row } from './scene.ts';

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false }, short: { type: 'boolean', default: false } },
});
const unknown = names.filter((name) => !rows.some((row) => row.name === name));
if (unknown.length > 0) {
  console.error(`no row is named ${unknown.join(', ')}; there are ${rows.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

async function checksOf(row: Row): Promise<Check[]> {
  const scene = new Scene(flags.short ? 'short' : flags.long ? 'long' : 'full');
  try {
    return await row.run(scene);
  } catch (error) {
    return [{ what: 'the row came to its end', figure: String(error), line: 'yes', isMet: false }];
  } finally {
    await scene.end();
  }
}

const load = () =>
  `load ${loadavg()
    .map((each) => each.toFixed(1))
    .join(' ')}`;
console.log(`${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}, ${load()}`);
const broken: string[] = [];
for (const row of rows.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const startedAt = performance.now();
  const checks = await checksOf(row);
  const isMet = checks.every((check) => check.isMet);
  if (!isMet) broken.push(row.name);
  console.log(`\n${row.name}: ${row.fault}`);
  for (const { what, figure, line, isMet: isCheckMet } of checks)
    console.log(`  ${what.padEnd(62)} ${figure.padStart(22)}  ${line.padEnd(22)} ${line === '' ? '' : isCheckMet ? 'ok' : 'BROKEN'}`);
  console.log(`  ${isMet ? 'MET' : 'NOT MET'}, ${((performance.now() - startedAt) / 1_000).toFixed(1)} s, ${load()}`);
}
console.log(broken.length === 0 ? '\nevery pass line is met' : `\nnot met: ${broken.join(', ')}`);
process.exit(broken.length === 0 ? 0 : 1);
