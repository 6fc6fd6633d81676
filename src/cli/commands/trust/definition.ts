import type { CommandDefinition } from '../../command-definition.ts';

/** What `trust` takes. */
export interface TrustOptions {
  list?: boolean;
  revoke?: boolean;
}

/** `trust`: whether the project's file may say where to go and what to open. */
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
