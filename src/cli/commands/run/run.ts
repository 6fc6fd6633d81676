import { tooFewDescriptors } from '../../../run/program/spare-descriptors.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import type { RunOptions } from './definition.ts';

/** Runs a program as a session. With `--late-output` it is the process that passes on the late output of a program that has ended. */
export async function run(invocation: Invocation<RunOptions>): Promise<number> {
  const tooFew = tooFewDescriptors();
  if (tooFew !== undefined) {
    throw new Failure('LIMIT_REACHED', `too few open files are allowed: ${tooFew.free} are free, run needs ${tooFew.needed}`, {
      hints: ['raise the limit: ulimit -n 256'],
      exitCode: exitCodes.notExecutable,
    });
  }
  if (invocation.options.lateOutput !== undefined) {
    const { passLateOutput } = await import('./late-output.ts');
    return passLateOutput(invocation);
  }
  const { runSupervised } = await import('./supervised-run.ts');
  return runSupervised(invocation);
}
