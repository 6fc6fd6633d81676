import type { CommandDefinition } from './command-definition.ts';
import { auditDefinition } from './commands/audit/definition.ts';
import { checkpointDefinition } from './commands/checkpoint/definition.ts';
import { commandsDefinition } from './commands/commands/definition.ts';
import { completionDefinition } from './commands/completion/definition.ts';
import { decideDefinition } from './commands/decide/definition.ts';
import { emitDefinition } from './commands/emit/definition.ts';
import { gateDefinition } from './commands/gate/definition.ts';
import { openDefinition } from './commands/open/definition.ts';
import { pingDefinition } from './commands/ping/definition.ts';
import { runDefinition } from './commands/run/definition.ts';
import { sendDefinition } from './commands/send/definition.ts';
import { serveDefinition } from './commands/serve/definition.ts';
import { serviceDefinition } from './commands/service/definition.ts';
import { sessionsDefinition } from './commands/sessions/definition.ts';
import { specDefinition } from './commands/spec/definition.ts';
import { statsDefinition } from './commands/stats/definition.ts';
import { tokenDefinition } from './commands/token/definition.ts';
import { trustDefinition } from './commands/trust/definition.ts';
import { watchDefinition } from './commands/watch/definition.ts';
import type { RunCommand } from './invocation.ts';

/** A command: its definition is loaded with the program, its code only when it is called. */
export interface Command {
  definition: CommandDefinition;
  load: () => Promise<RunCommand<never>>;
}

/** Every command, in the order in which the help lists them. */
export const commands: readonly Command[] = [
  { definition: runDefinition, load: async () => (await import('./commands/run/run.ts')).run },
  { definition: watchDefinition, load: async () => (await import('./commands/watch/run.ts')).watch },
  { definition: sendDefinition, load: async () => (await import('./commands/send/run.ts')).send },
  { definition: serveDefinition, load: async () => (await import('./commands/serve/run.ts')).serve },
  { definition: sessionsDefinition, load: async () => (await import('./commands/sessions/run.ts')).showSessions },
  { definition: openDefinition, load: async () => (await import('./commands/open/run.ts')).open },
  { definition: commandsDefinition, load: async () => (await import('./commands/commands/run.ts')).listCommands },
  { definition: statsDefinition, load: async () => (await import('./commands/stats/run.ts')).showStats },
  { definition: pingDefinition, load: async () => (await import('./commands/ping/run.ts')).ping },
  { definition: emitDefinition, load: async () => (await import('./commands/emit/run.ts')).emit },
  { definition: gateDefinition, load: async () => (await import('./commands/gate/run.ts')).gate },
  { definition: decideDefinition, load: async () => (await import('./commands/decide/run.ts')).decide },
  { definition: checkpointDefinition, load: async () => (await import('./commands/checkpoint/run.ts')).checkpoint },
  { definition: auditDefinition, load: async () => (await import('./commands/audit/run.ts')).audit },
  { definition: tokenDefinition, load: async () => (await import('./commands/token/run.ts')).token },
  { definition: specDefinition, load: async () => (await import('./commands/spec/run.ts')).printSpec },
  { definition: serviceDefinition, load: async () => (await import('./commands/service/run.ts')).service },
  { definition: completionDefinition, load: async () => (await import('./commands/completion/run.ts')).completion },
  { definition: trustDefinition, load: async () => (await import('./commands/trust/run.ts')).trustProject },
];
