import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { geminiAdapter } from '../../../../adapters/gemini/gemini-adapter.ts';
import { agentTimeoutMs, hookCommand, shellLine } from './hook-command.ts';
import type { HookedAgent } from './hooked-agent.ts';

const { agent, events } = geminiAdapter;

/** Gemini CLI runs a command for each event; its time-outs are in milliseconds. */
export const gemini: HookedAgent = {
  title: 'Gemini CLI',
  program: 'gemini',
  oldest: { hooks: '0.26.0' },
  pathOf: (scope) => (scope === 'user' ? join(geminiHome(), '.gemini/settings.json') : resolve('.gemini/settings.json')),
  readsComments: true,
  needs: {},
  events,
  entryFor: (name, choice) => {
    const event = events[name] ?? { holdMs: 0 };
    const command = shellLine(hookCommand(agent, event, choice, name === 'SessionStart'));
    return { hooks: [{ name: 'shannon-dash', type: 'command', command, timeout: agentTimeoutMs(event) }] };
  },
  nextSteps: ['start Gemini CLI again; /hooks panel lists its hooks', 'then watch it: shannon-dash watch'],
};

function geminiHome(): string {
  const given = process.env['GEMINI_CLI_HOME'];
  return given === undefined || given === '' ? homedir() : resolve(given);
}
