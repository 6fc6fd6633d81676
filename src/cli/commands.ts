import { registerCheckpoint } from './commands/checkpoint.ts';
import { registerCommands } from './commands/commands.ts';
import { registerDecide } from './commands/decide.ts';
import { registerEmit } from './commands/emit.ts';
import { registerGate } from './commands/gate.ts';
import { registerPing } from './commands/ping.ts';
import { registerRun } from './commands/run.ts';
import { registerSend } from './commands/send.ts';
import { registerServe } from './commands/serve.ts';
import { registerSessions } from './commands/sessions.ts';
import { registerStats } from './commands/stats.ts';
import { registerTrust } from './commands/trust.ts';
import { registerWatch } from './commands/watch.ts';
import type { Program } from './program.ts';

/** Every command, in the order in which the help lists them. */
export const commands: readonly ((program: Program) => void)[] = [
  registerRun,
  registerWatch,
  registerSend,
  registerServe,
  registerSessions,
  registerCommands,
  registerStats,
  registerPing,
  registerEmit,
  registerGate,
  registerDecide,
  registerCheckpoint,
  registerTrust,
];
