import type { CommandDefinition } from '../../command-definition.ts';

/** What can be done with notifications. */
const notifyActions = ['test', 'list'] as const;
export type NotifyAction = (typeof notifyActions)[number];

/** The options of `notify`. */
export interface NotifyOptions {
  desktop?: boolean;
}

/** `notify`: whom the server tells what needs a person and what has ended. */
export const notifyDefinition: CommandDefinition = {
  name: 'notify',
  summary: 'Try and list the targets that the server notifies',
  arguments: [
    { name: 'action', kind: 'text', choices: notifyActions },
    { name: 'target', kind: 'text', isOptional: true },
  ],
  examples: ['notify test', 'notify test team', 'notify test --desktop'],
  options: [{ flags: '--desktop', summary: 'try the desktop, as watch --desktop uses it', onlyWith: ['test'] }],
  notes: ['', 'The targets stand in notify.json, beside your config.json.'],
  warnsOfTrust: 'never',
};
