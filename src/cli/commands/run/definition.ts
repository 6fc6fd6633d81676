import { tooFewDescriptors } from '../../../run/program/spare-descriptors.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { option, type Program } from '../../program.ts';
import type { RunOptions } from './running.ts';

/** `run`: any program as a session. */
export function registerRun(program: Program): void {
  program.add<RunOptions>({
    usage: 'run <command> [args...]',
    summary: 'Run a program as a session: watched, halted, rolled back',
    examples: ['run -- npm test', 'run --checkpoints git -- ./migrate.sh', 'run -s nightly -- make all'],
    passThrough: true,
    options: [
      option('-s, --session <id>', 'the name of the session (one is made)'),
      option('--checkpoints <kind>', 'git: snapshots of the work tree, to roll back to').choices(['git', 'none']).default('none'),
      option('--take-over', 'take the session from another run that is attached to it'),
      option('--no-files', 'changes of files do not become events'),
      option('--require-server', 'do not run the program without a server'),
      option('--late-output <streams>', 'pass on what a program that has ended left behind').hideHelp(),
    ],
    notes: [
      '',
      'Output, exit code and signals are those of COMMAND. Without a server it starts',
      'one, which ends when nobody uses it. COMMAND finds SHANNON_DASH_URL and',
      '_SESSION: emit, gate, decide and checkpoint use them.',
    ],
    run: async (invocation) => {
      const tooFew = tooFewDescriptors();
      if (tooFew !== undefined) {
        throw new Failure('LIMIT_REACHED', `too few open files are allowed: ${tooFew.free} are free, run needs ${tooFew.needed}`, {
          hints: ['raise the limit: ulimit -n 256'],
          exitCode: exitCodes.notExecutable,
        });
      }
      const { runProgram } = await import('./running.ts');
      if (invocation.options.lateOutput === undefined) return runProgram(invocation);
      const { passLateOutput } = await import('./late-output.ts');
      return passLateOutput(invocation);
    },
  });
}
