import type { CommandDefinition } from '../../command-definition.ts';

/** `doctor`: what could be wrong on this machine. */
export const doctorDefinition: CommandDefinition = {
  name: 'doctor',
  summary: 'Look at what could be wrong on this machine, and say what to do',
  examples: ['doctor', 'doctor --json', 'doctor --url https://dash.example'],
  options: [{ flags: '--journal <path>', summary: "the journal, if not the settings'", kind: 'file' }],
  notes: [
    '',
    'It looks at Node, the settings, the server and its port, the clock, the journal,',
    'its disk, the file of tokens, the terminal, git, and the hooks of coding agents.',
    'It changes nothing. It ends with 1 where something keeps it from working.',
  ],
};
