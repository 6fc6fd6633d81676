import { onTestFinished } from 'vitest';
import { WatchedProgram, type ProgramOptions } from './watched-program.ts';

/** Starts `shannon-dash watch` on a server; it is killed when the test ends. */
export function watch(url: string, args: readonly string[] = [], options: ProgramOptions = {}): WatchedProgram {
  const program = new WatchedProgram(['watch', '--url', url, ...args], options);
  onTestFinished(() => program.kill());
  return program;
}
