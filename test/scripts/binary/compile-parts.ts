import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

// Run by the Node that the executable will hold: no other can use what it compiles.
const [, , parts = '', compiled = ''] = process.argv;
for (const name of readdirSync(parts)) {
  const source = readFileSync(join(parts, name), 'utf8');
  // Every function, also those that are not called at once.
  setFlagsFromString('--no-lazy');
  const script = new Script(source, { filename: name });
  // V8 takes compiled code under the same flags only.
  setFlagsFromString('--lazy');
  writeFileSync(join(compiled, `${name}.compiled`), script.createCachedData());
}
