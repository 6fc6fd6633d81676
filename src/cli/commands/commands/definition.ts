import { commandStatuses, type CommandStatus } from '../../../core/protocol/command-status.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `commands`. */
export interface CommandsOptions {
  status?: CommandStatus;
  limit?: number;
}

/** `commands`: the commands of a session, with their senders and results. */
export const commandsDefinition: CommandDefinition = {
  name: 'commands',
  summary: 'What was commanded, by whom, and what came of it',
  examples: ['commands', 'commands -s run-7f3a --status delivered', 'commands --limit 5 --json'],
  options: [
    { flags: '-s, --session <id>', summary: 'the session (default: the only live one, or the last)', kind: 'session' },
    { flags: '--status <status>', summary: `only ${commandStatuses.join(', ')}`, kind: 'text', choices: commandStatuses },
    { flags: '--limit <count>', summary: 'at most so many, the newest (20)', kind: 'whole-number' },
  ],
};
