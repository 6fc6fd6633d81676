import { codingAgents } from '../../../adapters/coding-agents.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** What can be done with the hooks of an agent. */
const hookActions = ['install', 'uninstall', 'status', 'doctor'] as const;

export type HookAction = (typeof hookActions)[number];

/** The options of `hook`. */
export interface HookOptions {
  project?: boolean;
  user?: boolean;
  strict?: boolean;
  dryRun?: boolean;
  checkpoints?: 'git';
}

/** `hook`: coding agents tell what they do, and take commands, by hooks in their own settings. */
export const hookDefinition: CommandDefinition = {
  name: 'hook',
  summary: 'Watch and steer a coding agent: install, uninstall, status, doctor',
  arguments: [
    { name: 'action', kind: 'text', choices: [...hookActions, ...codingAgents] },
    { name: 'agent', kind: 'text', choices: codingAgents, isOptional: true },
  ],
  examples: ['hook install claude-code', 'hook install codex --project --dry-run', 'hook doctor'],
  options: [
    {
      flags: '--user',
      summary: "in the agent's settings of this user (default)",
      conflicts: ['project'],
      onlyWith: ['install', 'uninstall'],
    },
    { flags: '--project', summary: "in the agent's settings of this folder", conflicts: ['user'], onlyWith: ['install', 'uninstall'] },
    { flags: '--strict', summary: 'what cannot be asked for is refused, not done', onlyWith: ['install'] },
    {
      flags: '--checkpoints <kind>',
      summary: "git: a place to roll back to before each prompt's changes",
      kind: 'text',
      choices: ['git'],
      onlyWith: ['install'],
    },
    { flags: '--dry-run', summary: 'show the change, and make none', onlyWith: ['install', 'uninstall'] },
  ],
  notes: [
    '',
    "uninstall gives the settings back as they were. The agent's program itself",
    'calls "hook AGENT": it passes a hook from stdin to the server and the answer',
    'to stdout; where no server answers, the agent goes on without, unless --strict.',
  ],
  warnsOfTrust: 'never',
};
