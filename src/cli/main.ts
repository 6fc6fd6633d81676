import { commands } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { failureOf } from './failure.ts';
import { Interruption } from './interruption.ts';
import { openOutput, Program } from './program.ts';

/** Runs the program: the only place that ends the process in an orderly way. */
export async function main(argv: string[]): Promise<void> {
  quietlyEndOnClosedPipe();
  const fail = async (error: unknown) => {
    const failure = failureOf(error);
    (await openOutput(flagsOf(argv))).failure(failure);
    return failure.exitCode;
  };
  const failAndExit = async (error: unknown) => process.exit(await fail(error));
  process.on('uncaughtException', failAndExit).on('unhandledRejection', failAndExit);
  const program = new Program(new Interruption());
  for (const register of commands) register(program);
  const code = await program.run(argv).catch(fail);
  // What is still on its way to a pipe would be lost by `exit`.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}

/** `shannon-dash watch | head`: when the reader has enough, that is an end and not an error. */
function quietlyEndOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    throw error;
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => undefined);
}

/** How to say what is wrong, also when it is the arguments themselves. */
function flagsOf(argv: readonly string[]) {
  const end = argv.indexOf('--');
  const flags = argv.slice(2, end === -1 ? undefined : end);
  return {
    json: flags.includes('--json'),
    verbose: flags.includes('-v') || flags.includes('--verbose'),
    color: !flags.includes('--no-color'),
  };
}
