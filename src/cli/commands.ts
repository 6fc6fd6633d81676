import { registerEmit } from './commands/emit.ts';
import { registerRun } from './commands/run.ts';
import { registerSend } from './commands/send.ts';
import { registerServe } from './commands/serve.ts';
import { registerWatch } from './commands/watch.ts';
import type { Program } from './program.ts';

/** Every command, in the order in which the help lists them. */
export const commands: readonly ((program: Program) => void)[] = [registerRun, registerServe, registerWatch, registerSend, registerEmit];
