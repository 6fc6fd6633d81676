import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { codexAdapter } from '../../../../adapters/codex/codex-adapter.ts';
import { agentTimeoutMs, hookCommand, shellLine } from './hook-command.ts';
import type { HookedAgent } from './hooked-agent.ts';

const { agent, events } = codexAdapter;

/** Codex runs a command for each event, and only commands that its user has looked at. */
export const codex: HookedAgent = {
  title: 'Codex',
  program: 'codex',
  oldest: { hooks: '0.124.0' },
  pathOf: (scope) => (scope === 'user' ? join(codexFolder(), 'hooks.json') : resolve('.codex/hooks.json')),
  readsComments: false,
  needs: {},
  events,
  entryFor: (name, choice) => {
    const event = events[name] ?? { holdMs: 0 };
    const command = shellLine(hookCommand(agent, event, choice, name === 'SessionStart'));
    return { hooks: [{ type: 'command', command, timeout: agentTimeoutMs(event) / 1_000 }] };
  },
  nextSteps: [
    'Codex runs no hook that you have not trusted: start codex, type /hooks, look at those of shannon-dash, and trust them',
    'then watch it: shannon-dash watch',
  ],
};

function codexFolder(): string {
  const given = process.env['CODEX_HOME'];
  return given === undefined || given === '' ? join(homedir(), '.codex') : resolve(given);
}
