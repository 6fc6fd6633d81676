import { commandStatuses, type CommandStatus } from '../../../core/protocol/command-status.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** What can be done with a command, beside listing all of them. */
const ledgerActions = ['resend', 'cancel'] as const;
export type LedgerAction = (typeof ledgerActions)[number];

/** The options of `commands`. */
export interface CommandsOptions {
  status?: CommandStatus;
  limit?: number;
}

/** `commands`: the commands of a session, with their senders and results; send one again, take one back. */
export const commandsDefinition: CommandDefinition = {
  name: 'commands',
  summary: 'What was commanded, by whom, and what came of it',
  arguments: [
    { name: 'action', kind: 'text', choices: ledgerActions, isOptional: true },
    { name: 'id', kind: 'command', isOptional: true },
  ],
  examples: ['commands', 'commands cancel 0197c1d2', 'commands resend 0197c1d2'],
  options: [
    { flags: '-s, --session <id>', summary: 'the session (default: the only live one, or the last)', kind: 'session' },
    {
      flags: '--status <status>',
      summary: `only one of: ${commandStatuses.slice(0, 3).join(', ')}, ...`,
      kind: 'text',
      choices: commandStatuses,
    },
    { flags: '--limit <count>', summary: 'at most so many, the newest (20)', kind: 'whole-number' },
  ],
  notes: [
    '',
    'resend sends a command again that was not applied, as a new one. cancel takes',
    'back one that waits for a program to connect; what a program may have stays.',
  ],
};
