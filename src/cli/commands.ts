import type { CommandDefinition } from './command-definition.ts';
import { agentsDefinition } from './commands/agents/definition.ts';
import { analyticsDefinition } from './commands/analytics/definition.ts';
import { auditDefinition } from './commands/audit/definition.ts';
import { checkpointDefinition } from './commands/checkpoint/definition.ts';
import { commandsDefinition } from './commands/commands/definition.ts';
import { completionDefinition } from './commands/completion/definition.ts';
import { decideDefinition } from './commands/decide/definition.ts';
import { doctorDefinition } from './commands/doctor/definition.ts';
import { emitDefinition } from './commands/emit/definition.ts';
import { exportDefinition } from './commands/export/definition.ts';
import { gateDefinition } from './commands/gate/definition.ts';
import { importDefinition } from './commands/import/definition.ts';
import { journalDefinition } from './commands/journal/definition.ts';
import { logsDefinition } from './commands/logs/definition.ts';
import { hookDefinition } from './commands/hook/definition.ts';
import { mcpDefinition } from './commands/mcp/definition.ts';
import { notifyDefinition } from './commands/notify/definition.ts';
import { openDefinition } from './commands/open/definition.ts';
import { pingDefinition } from './commands/ping/definition.ts';
import { replayDefinition } from './commands/replay/definition.ts';
import { restoreDefinition } from './commands/restore/definition.ts';
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
  { definition: agentsDefinition, load: async () => (await import('./commands/agents/run.ts')).listAgents },
  { definition: sessionsDefinition, load: async () => (await import('./commands/sessions/run.ts')).sessions },
  { definition: logsDefinition, load: async () => (await import('./commands/logs/run.ts')).logs },
  { definition: exportDefinition, load: async () => (await import('./commands/export/run.ts')).exportSessions },
  { definition: importDefinition, load: async () => (await import('./commands/import/run.ts')).importSessions },
  { definition: replayDefinition, load: async () => (await import('./commands/replay/run.ts')).replay },
  { definition: journalDefinition, load: async () => (await import('./commands/journal/run.ts')).journal },
  { definition: openDefinition, load: async () => (await import('./commands/open/run.ts')).open },
  { definition: commandsDefinition, load: async () => (await import('./commands/commands/run.ts')).commandLedger },
  { definition: statsDefinition, load: async () => (await import('./commands/stats/run.ts')).showStats },
  { definition: analyticsDefinition, load: async () => (await import('./commands/analytics/run.ts')).analytics },
  { definition: pingDefinition, load: async () => (await import('./commands/ping/run.ts')).ping },
  { definition: emitDefinition, load: async () => (await import('./commands/emit/run.ts')).emit },
  { definition: gateDefinition, load: async () => (await import('./commands/gate/run.ts')).gate },
  { definition: decideDefinition, load: async () => (await import('./commands/decide/run.ts')).decide },
  { definition: checkpointDefinition, load: async () => (await import('./commands/checkpoint/run.ts')).checkpoint },
  { definition: mcpDefinition, load: async () => (await import('./commands/mcp/run.ts')).mcp },
  { definition: restoreDefinition, load: async () => (await import('./commands/restore/run.ts')).restore },
  { definition: auditDefinition, load: async () => (await import('./commands/audit/run.ts')).audit },
  { definition: notifyDefinition, load: async () => (await import('./commands/notify/run.ts')).notify },
  { definition: tokenDefinition, load: async () => (await import('./commands/token/run.ts')).token },
  { definition: hookDefinition, load: async () => (await import('./commands/hook/run.ts')).hook },
  { definition: doctorDefinition, load: async () => (await import('./commands/doctor/run.ts')).doctor },
  { definition: specDefinition, load: async () => (await import('./commands/spec/run.ts')).printSpec },
  { definition: serviceDefinition, load: async () => (await import('./commands/service/run.ts')).service },
  { definition: completionDefinition, load: async () => (await import('./commands/completion/run.ts')).completion },
  { definition: trustDefinition, load: async () => (await import('./commands/trust/run.ts')).trustProject },
];
