import { roles, type Role } from '../../../core/access.ts';
import type { CommandDefinition } from '../../command-definition.ts';

/** What can be done with tokens. */
const tokenActions = ['create', 'list', 'revoke', 'rotate'] as const;
export type TokenAction = (typeof tokenActions)[number];

/** The options of `token`. */
export interface TokenOptions {
  role?: Role;
  steer?: boolean;
  session?: string[];
  tenant?: string;
  expires?: string;
  out?: string;
}

/** `token`: who may use the server from elsewhere. */
export const tokenDefinition: CommandDefinition = {
  name: 'token',
  summary: 'Create, list, rotate and revoke tokens of the server',
  arguments: [
    { name: 'action', kind: 'text', choices: tokenActions },
    { name: 'name', kind: 'text', isOptional: true },
  ],
  examples: [
    'token create ana --role operator --steer',
    "token create ci --role orchestrator --session 'ci-*' --expires 30d",
    'token revoke ana',
  ],
  options: [
    { flags: '--role <role>', summary: roles.join(', '), kind: 'text', choices: roles, onlyWith: ['create'] },
    { flags: '--steer', summary: 'an operator may REDIRECT, INJECT, ROLLBACK too', onlyWith: ['create'] },
    {
      flags: '--session <glob>',
      summary: 'only sessions such as ci-* (repeatable)',
      kind: 'text',
      isRepeatable: true,
      isNoSetting: true,
      onlyWith: ['create'],
    },
    { flags: '--tenant <name>', summary: 'sessions of a tenant, apart from all others', kind: 'text', onlyWith: ['create'] },
    { flags: '--expires <time>', summary: 'when it ends: 12h, 30d (default: never)', kind: 'duration', onlyWith: ['create'] },
    { flags: '--out <file>', summary: 'write it to this new file instead', kind: 'file', onlyWith: ['create', 'rotate'] },
    { flags: '--journal <path>', summary: "the journal of the server, if not the settings'", kind: 'file' },
  ],
  notes: [
    '',
    'viewer: watches. operator: HALT, RESUME, DECISION and STOP, with --steer every',
    'command. orchestrator: runs sessions. admin: everything.',
    'create and rotate print the token once: TOKEN=$(shannon-dash token create ...).',
    'The file beside the journal holds hashes; a server that runs follows it within',
    'a second or two, and ends then what a revoked token let in.',
    'revoke and rotate take a name or an id.',
  ],
};
