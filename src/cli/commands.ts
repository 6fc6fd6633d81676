import { registerCheckpoint } from './commands/checkpoint/definition.ts';
import { registerCommands } from './commands/commands/definition.ts';
import { registerDecide } from './commands/decide/definition.ts';
import { registerEmit } from './commands/emit/definition.ts';
import { registerGate } from './commands/gate/definition.ts';
import { registerPing } from './commands/ping/definition.ts';
import { registerRun } from './commands/run/definition.ts';
import { registerSend } from './commands/send/definition.ts';
import { registerServe } from './commands/serve/definition.ts';
import { registerSessions } from './commands/sessions/definition.ts';
import { registerStats } from './commands/stats/definition.ts';
import { registerTrust } from './commands/trust/definition.ts';
import { registerWatch } from './commands/watch/definition.ts';
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
