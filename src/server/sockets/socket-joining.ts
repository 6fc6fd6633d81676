import type { Socket } from 'socket.io';
import type { z } from 'zod';
import { parse } from '../../core/json/parse.ts';
import { handshake } from '../../core/protocol/messages.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { tokenMissing, type Authenticator } from '../access/authenticator.ts';
import { callerOf, knowsPaths } from '../access/guarded-server.ts';
import { unrestricted, type Principal } from '../access/principal.ts';

/** What is known of a client when it has joined. */
export interface Joining {
  hello: z.output<typeof handshake>;
  principal: Principal;
  access: WorkspaceAccess;
  knowsPaths: boolean;
}

/** @throws ShannonDashError (by its promise) the handshake, or the token, is wrong */
export async function joiningOf(
  socket: Socket,
  { authenticator, as }: { authenticator: Authenticator; as: (principal: Principal) => WorkspaceAccess },
): Promise<Joining> {
  const { auth, query } = socket.handshake;
  const hello = parse(handshake, { ...auth, session_id: auth['session_id'] ?? query['session_id'] });
  const principal = await principalOfSocket(socket, hello, authenticator);
  return { hello, principal, access: as(principal), knowsPaths: principal.token === undefined && knowsPaths(socket.request) };
}

/**
 * The principal of a Socket.IO client: of the token in its `auth`, or in the header of its request.
 * @throws ShannonDashError UNAUTHENTICATED, or INVALID for two different tokens
 */
async function principalOfSocket(
  socket: Socket,
  { token, client }: { token?: string | undefined; client?: string | undefined },
  authenticator: Authenticator,
): Promise<Principal> {
  const caller = callerOf(socket.request);
  if (token !== undefined) {
    const principal = await authenticator.ofToken(token);
    if (caller.kind === 'token' && caller.principal.token?.id !== principal.token?.id) {
      throw new ShannonDashError('INVALID', 'auth.token: is another token than that in the header Authorization; send one of them');
    }
    return principal;
  }
  if (caller.kind === 'token') return caller.principal;
  if (caller.kind === 'local') return unrestricted(client, socket.id);
  throw tokenMissing();
}
