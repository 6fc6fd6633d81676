import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `mcp` that are no settings. */
export interface McpOptions {
  readOnly?: boolean;
  supervisor?: boolean;
}

/** `mcp`: the tools of this program for an agent, by the Model Context Protocol on stdin and stdout. */
export const mcpDefinition: CommandDefinition = {
  name: 'mcp',
  summary: 'Give an agent tools to look, wait, ask and report (MCP on stdin and stdout)',
  examples: ['mcp --session my-agent', 'mcp --read-only', 'mcp --supervisor'],
  options: [
    { flags: '-s, --session <id>', summary: "the agent's own session, which it never steers", kind: 'session' },
    { flags: '--read-only', summary: 'only the tools that change nothing' },
    { flags: '--supervisor', summary: 'the agent is no session here: it may steer every one' },
  ],
  notes: [
    '',
    'Agents start it by themselves: claude mcp add shannon-dash -- shannon-dash mcp',
    'It asks the server that --url names, starts none, and ends with the agent.',
  ],
};
