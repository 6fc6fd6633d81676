import type { CommandDefinition } from '../../command-definition.ts';

/** What can be done with the service. */
const serviceActions = ['install', 'status', 'uninstall'] as const;
export type ServiceAction = (typeof serviceActions)[number];

/** `service`: a server that the system keeps up. */
export const serviceDefinition: CommandDefinition = {
  name: 'service',
  summary: 'Have the system keep a server up: install, status, uninstall',
  arguments: [
    { name: 'action', kind: 'text', choices: serviceActions },
    { name: 'serve-flag', kind: 'text', isOptional: true, isRepeatable: true },
  ],
  examples: ['service install', 'service install -- --port 9000 --fsync', 'service status'],
  options: [],
  notes: [
    '',
    'What stands after -- are flags of serve. With systemd (Linux) it is a unit of',
    'your user, with launchd (macOS) an agent: it runs as you, starts when you log',
    'in, and is started again when it ends. A file that install did not write is',
    'neither replaced nor removed.',
  ],
  warnsOfTrust: 'never',
};
