import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { cursorAdapter } from '../../../../adapters/cursor/cursor-adapter.ts';
import { agentTimeoutMs, hookCommand, shellLine } from './hook-command.ts';
import type { HookedAgent } from './hooked-agent.ts';

const { agent, events } = cursorAdapter;

/** Cursor runs a command for each event; its entries are the commands themselves. */
export const cursor: HookedAgent = {
  title: 'Cursor',
  program: 'cursor-agent',
  oldest: { hooks: undefined },
  pathOf: (scope) => join(scope === 'user' ? homedir() : resolve(), '.cursor/hooks.json'),
  readsComments: false,
  needs: { version: 1 },
  events,
  entryFor: (name, choice) => {
    const event = events[name] ?? { holdMs: 0 };
    const command = shellLine(hookCommand(agent, event, choice, name === 'sessionStart'));
    return { command, timeout: agentTimeoutMs(event) / 1_000, ...(choice.isStrict && event.holdMs > 0 ? { failClosed: true } : {}) };
  },
  nextSteps: ['Cursor reads the file when it is saved; its settings list the hooks', 'then watch it: shannon-dash watch'],
};
