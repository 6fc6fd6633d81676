import { resolve } from 'node:path';
import type { Interruption } from '../../terminal/interruption.ts';
import { Program } from '../../program.ts';
import { serveDefinition } from '../serve/definition.ts';

const takingPaths = new Set(
  serveDefinition.options.filter(({ kind }) => kind === 'file' || kind === 'folder').map(({ flags }) => /--[\w-]+/.exec(flags)?.[0]),
);
/** Values that are no paths: `memory`, `file:PATH`. */
const notPath = new Set(serveDefinition.options.flatMap(({ suggestions }) => suggestions ?? []));

/**
 * The flags of `serve` as a service takes them, which works in another folder. They are checked as `serve` checks them; undefined where
 * they ask for its help, which is printed then.
 * @throws Failure `serve` refuses them
 */
export async function checkedFlags(flags: readonly string[], interruption: Interruption): Promise<string[] | undefined> {
  let isCalled = false;
  const serve = new Program(interruption);
  serve.add({ ...serveDefinition, warnsOfTrust: 'never' }, async () => async () => void (isCalled = true));
  await serve.run([serveDefinition.name, ...flags]);
  return isCalled ? flags.map((word, at) => withAbsolutePath(word, flags[at - 1])) : undefined;
}

function withAbsolutePath(word: string, before: string | undefined): string {
  if (takingPaths.has(before)) return absolute(word);
  const [, flag, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
  return value !== undefined && takingPaths.has(flag) ? `${flag}=${absolute(value)}` : word;
}

function absolute(value: string): string {
  return notPath.has(value) || /^[a-z][a-z\d+.-]*:/i.test(value) ? value : resolve(value);
}
