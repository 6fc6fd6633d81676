import type { ToolCall } from './conversation.ts';

export const bash = (command: string, more: object = {}): ToolCall => ({ name: 'Bash', input: { command, description: 'try', ...more } });

export const subAgent = (prompt: string, more: object = {}): ToolCall => ({
  name: 'Agent',
  input: { description: 'Look around', prompt, subagent_type: 'general-purpose', ...more },
});

/** One question of AskUserQuestion. */
export const colour = {
  question: 'Which colour?',
  header: 'Colour',
  multiSelect: false,
  options: [
    { label: 'Red', description: 'warm' },
    { label: 'Blue', description: 'cold' },
  ],
};
