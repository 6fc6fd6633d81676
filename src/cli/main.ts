import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { rememberInheritedDescriptors } from '../run/program/inherited-state.ts';
import { commands } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { failureOf, outputFailure } from './failure.ts';
import { Interruption } from './terminal/interruption.ts';
import { openOutput, Program } from './program.ts';
import { refuseTokens } from './tokens-in-arguments.ts';
import { replaceDeletedFolder } from './working-folder.ts';

/** Runs the program: the only place that ends the process in an orderly way. */
export async function main(argv: string[]): Promise<void> {
  // Socket.IO's client looks whether the system has a WebSocket, uses ws all the same, and has loaded another client by that look: a
  // tenth of the time to a short command's end.
  Reflect.deleteProperty(globalThis, 'WebSocket');
  // Warnings about outdated calls in packages that are built in mean nothing to a user; Node leaves them out for packages in node_modules.
  process.noDeprecation = true;
  replaceDeletedFolder();
  if (argv.includes('run')) rememberInheritedDescriptors();
  const args = argv.slice(2);
  const fail = (error: unknown) => tellFailure(args, error);
  const failAndExit = async (error: unknown) => process.exit(await fail(error));
  process.on('uncaughtException', failAndExit).on('unhandledRejection', failAndExit);
  let lost: Promise<number> | undefined;
  process.stdout.on('error', async (error: NodeJS.ErrnoException) => {
    // `shannon-dash watch | head`: when the reader has enough, that is an end and not an error.
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    lost ??= fail(outputFailure(error));
    process.exit(await lost);
  });
  // There is no place left to report an error of stderr.
  process.stderr.on('error', () => undefined);
  const code = await runCommandLine(args, new Interruption());
  // `exit` would lose the text that is still on its way to a pipe.
  if (process.stdout.writableLength > 0) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  const { errored } = process.stdout as { errored: NodeJS.ErrnoException | null };
  // A full disk is told of after this; and a stdout that failed once takes the next text as if nothing had been.
  if (errored !== null && errored.code !== 'EPIPE') lost ??= fail(outputFailure(errored));
  const failed = await lost;
  await leaveTerminalToForeground();
  process.exit(code === exitCodes.ok ? (failed ?? code) : code);
}

/**
 * At its exit Node sets a terminal back to the settings that it found at its start. A process in the background must not: they may
 * be those of the shell's line editor, and another program has the terminal by then. Node leaves a closed descriptor alone.
 */
async function leaveTerminalToForeground(): Promise<void> {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  if (terminals.length === 0) return;
  const { isInForeground } = await import('../run/program/controlling-terminal.ts');
  if (!isInForeground()) terminals.forEach((descriptor) => closeSync(descriptor));
}

/** Runs the command that the arguments name; what fails is told. @returns the exit code */
export async function runCommandLine(args: readonly string[], interruption: Interruption): Promise<number> {
  try {
    refuseTokens(args);
    const program = new Program(interruption);
    for (const { definition, load } of commands) program.add(definition, load);
    return await program.run(args);
  } catch (error) {
    return tellFailure(args, error);
  }
}

/** Tells an error in the way that the arguments ask for. @returns its exit code */
async function tellFailure(args: readonly string[], error: unknown): Promise<number> {
  const failure = failureOf(error);
  (await openOutput(flagsOf(args))).failure(failure);
  return failure.exitCode;
}

/** The flags for the output of an error, read without the parser: the arguments themselves may be wrong. */
function flagsOf(args: readonly string[]) {
  const end = args.indexOf('--');
  const flags = end === -1 ? args : args.slice(0, end);
  return {
    json: flags.includes('--json'),
    verbose: flags.includes('-v') || flags.includes('--verbose'),
    color: !flags.includes('--no-color'),
  };
}
