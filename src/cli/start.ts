import { isCodingAgent } from '../adapters/coding-agents.ts';
import { oneFile } from '../executable/one-file.ts';
import { keepCompiledCode } from './compile-cache.ts';

/**
 * Starts the program, whatever carries it: the launcher with the files beside it, or one file with Node in it.
 * @param argv as `process.argv`
 */
export async function start(argv: string[]): Promise<void> {
  // Before all else is loaded: only what comes after it is kept compiled. The one file has its code compiled in it.
  if (oneFile === undefined) keepCompiledCode();
  // A shell asks at a press of Tab: what answers is small, and loads nothing of what the commands need.
  if (argv[2] === 'complete') return (await import('./completion/complete.ts')).complete(argv.slice(3));
  // An agent waits at each of its tool calls. Whoever asks for the help gets it from the commands.
  const [, , name, agent = '', ...flags] = argv;
  if (name === 'hook' && isCodingAgent(agent) && !flags.some((flag) => flag === '--help' || flag === '-h')) {
    process.exit(await (await import('./hook-relay/relay.ts')).relayHook(agent, flags));
  }
  await (await import('./main.ts')).main(argv);
}
