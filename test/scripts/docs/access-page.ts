import { may, maySend, roles, verbMeanings, verbTable, type CallerRole, type Role, type Verb } from '../../../src/core/access.ts';
import { endpointOf, httpApi, type EndpointName } from '../../../src/core/http-api.ts';
import { commandTypes } from '../../../src/core/protocol/known-words.ts';
import { code, page, table } from './markdown.ts';

/** The page of roles: the table that the server asks, in words. */
export function accessPage(): string {
  const callers: readonly CallerRole[] = [...roles, 'anonymous'];
  const routesOf = (verb: Verb) =>
    (Object.keys(httpApi) as EndpointName[])
      .map(endpointOf)
      .filter((endpoint) => endpoint.verb === verb)
      .map(({ method, path }) => code(`${method} ${path}`))
      .join(', ');
  const mark = (isAllowed: boolean) => (isAllowed ? 'yes' : '');
  const sends = (role: Role, canSteer: boolean) => commandTypes.filter((type) => maySend({ role, canSteer }, type)).join(', ') || 'none';
  return page(
    '# Who may do what',
    "A process of the user that runs the server, on the same machine, may do everything, and so may root's. With `serve --auth` they too need a token: the command line and the SDK find the server's own in a file that only that user can read. Everybody else needs a token of `shannon-dash token create`, or one of an identity provider.",
    'A token has a role. It reaches the sessions that its globs match; any other session is answered as if there were none.',
    table(
      ['verb', 'lets a caller', ...roles, 'no token', 'routes'],
      (Object.keys(verbTable) as Verb[]).map((verb) => [
        code(verb),
        verbMeanings[verb],
        ...callers.map((role) => mark(may(role, verb))),
        routesOf(verb),
      ]),
    ),
    '## Commands',
    'REDIRECT, INJECT and ROLLBACK can run code. An operator sends them only with the grant `--steer`.',
    table(
      ['caller', 'may send'],
      [...roles.map((role) => [role, sends(role, false)]), ['operator with `--steer`', sends('operator', true)]],
    ),
    '## What is kept',
    'Each command stands in the ledger of its session with the name of the token that sent it; `shannon-dash audit` lists those of all sessions, for admins. A deleted session takes its commands with it. What the server denies to the holder of a token is a line of its log: name and id of the token, verb and session, and never the token.',
  );
}
