import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `trust`. */
export interface TrustOptions {
  list?: boolean;
  revoke?: boolean;
}

/** `trust`: lets the project's file set where to connect, listen, write and read. */
export const trustDefinition: CommandDefinition = {
  name: 'trust',
  summary: "Use all settings of this project's .shannon-dash.json",
  examples: ['trust', 'trust --list', 'trust --revoke'],
  options: [
    { flags: '--list', summary: 'the files that are trusted' },
    { flags: '--revoke', summary: 'trust the file of this project no more' },
  ],
  notes: [
    '',
    'Such a file comes with a project, so with whatever was cloned. Until you trust',
    'it, settings that say where to connect, listen, write or read are left out.',
    'Trust holds for what the file says now: a change takes it away.',
  ],
  warnsOfTrust: 'never',
};
