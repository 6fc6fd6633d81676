import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `agents`. */
export interface AgentsOptions {
  all?: boolean;
  limit?: number;
}

/** `agents`: what every agent does, and what it waits for. */
export const agentsDefinition: CommandDefinition = {
  name: 'agents',
  summary: 'List the sessions of agents: what each does and waits for',
  examples: ['agents', 'agents --all', 'agents --json | jq \'.agents[] | select(.state == "waits")\''],
  options: [
    { flags: '--all', summary: 'those that have ended too' },
    { flags: '--limit <count>', summary: 'look at so many sessions, the newest (50)', kind: 'whole-number' },
  ],
  notes: ['', '"not hooked": Claude Code lists it, and it tells us nothing. See hook install.'],
};
