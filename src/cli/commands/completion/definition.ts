import type { CommandDefinition } from '../../command-definition.ts';

/** The shells that there are completions for. */
export const shellNames = ['bash', 'zsh', 'fish', 'powershell'] as const;

export type ShellName = (typeof shellNames)[number];

/** The options of `completion`. */
export interface CompletionOptions {
  install?: boolean;
  uninstall?: boolean;
}

/** `completion`: what a shell needs to complete this program's commands. */
export const completionDefinition: CommandDefinition = {
  name: 'completion',
  summary: 'Completions for your shell: print, install, remove',
  arguments: [{ name: 'shell', kind: 'text', choices: shellNames, isOptional: true }],
  examples: ['completion --install', 'completion zsh', 'completion --uninstall bash'],
  options: [
    { flags: '--install', summary: 'write them where the shell looks for them', conflicts: ['uninstall'] },
    { flags: '--uninstall', summary: 'undo that', conflicts: ['install'] },
  ],
  notes: [
    '',
    'Without a shell: the one that this is called from. A file that --install did',
    'not write is neither replaced nor removed.',
    'At a press of Tab the server has 100 ms to answer; for one that is far away:',
    'SHANNON_DASH_COMPLETION_TIMEOUT=1s.',
  ],
  warnsOfTrust: 'never',
};
