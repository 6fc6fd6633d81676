import { keepCompiledCode } from './compile-cache.ts';

/**
 * Starts the program, whatever carries it: the launcher with the files beside it, or one file with Node in it.
 * @param argv as `process.argv`
 */
export async function start(argv: string[]): Promise<void> {
  // Before all else is loaded: only what comes after it is kept compiled.
  keepCompiledCode();
  await (await import('./main.ts')).main(argv);
}
