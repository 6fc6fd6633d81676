import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { claudeCodeAdapter } from '../../../../adapters/claude-code/claude-code-adapter.ts';
import { hookHeaders } from '../../../../adapters/hook-headers.ts';
import { serverUrls } from '../../../../core/text/server-urls.ts';
import { endpoint } from '../../../../client/connection/http-exchange.ts';
import { agentTimeoutMs, hookCommand } from './hook-command.ts';
import type { HookChoice, HookedAgent } from './hooked-agent.ts';

const { agent, events } = claudeCodeAdapter;
/** The variables of which a hook's headers are filled. */
export const claudeCodeVariables = ['SHANNON_DASH_TOKEN', 'SHANNON_DASH_SESSION', 'SHANNON_DASH_RUN'] as const;

/** Claude Code calls the server itself; only SessionStart is a command, which starts a server where none answers. */
export const claudeCode: HookedAgent = {
  title: 'Claude Code',
  program: 'claude',
  oldest: { hooks: '2.1.63', strict: '2.1.295' },
  // What is written holds paths of this machine: the local file is the one that is not for others.
  pathOf: (scope) => (scope === 'user' ? join(claudeFolder(), 'settings.json') : resolve('.claude/settings.local.json')),
  readsComments: false,
  needs: {},
  events,
  entryFor: (event, choice) => ({ hooks: [handlerFor(event, choice)] }),
  nextSteps: ['sessions that run already see the hooks once they are started again', 'watch them all: shannon-dash watch'],
};

/** The folder with the settings of the user. */
export function claudeFolder(): string {
  const given = process.env['CLAUDE_CONFIG_DIR'];
  return given === undefined || given === '' ? join(homedir(), '.claude') : resolve(given);
}

function handlerFor(name: string, choice: HookChoice): Record<string, unknown> {
  const event = events[name] ?? { holdMs: 0 };
  const timeout = agentTimeoutMs(event) / 1_000;
  if (event.isCommandOnly === true) {
    // Without a shell: nothing has to be quoted.
    const [command, ...args] = hookCommand(agent, event, choice, name === 'SessionStart');
    return { type: 'command', command, args, timeout };
  }
  const [token, session, run] = claudeCodeVariables;
  return {
    type: 'http',
    url: endpoint(serverUrls(choice.url)[0], `api/hooks/${agent}`).href,
    timeout,
    ...(choice.isStrict && event.holdMs > 0 ? { onFailure: 'block' } : {}),
    headers: {
      authorization: `Bearer $${token}`,
      [hookHeaders.session]: `$${session}`,
      [hookHeaders.run]: `$${run}`,
      ...(choice.checkpoints === undefined ? {} : { [hookHeaders.checkpoints]: choice.checkpoints }),
    },
    allowedEnvVars: claudeCodeVariables,
  };
}
