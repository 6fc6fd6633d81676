import type { Socket } from 'socket.io';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { tokenMissing, type Authenticator } from '../access/authenticator.ts';
import { callerOf } from '../access/guarded-server.ts';
import { unrestricted, type Principal } from '../access/principal.ts';

/**
 * The principal of a Socket.IO client: of the token in its `auth`, or in the header of its request.
 * @throws ShannonDashError UNAUTHENTICATED, or INVALID for two different tokens
 */
export function principalOfSocket(
  socket: Socket,
  { token, client }: { token?: string | undefined; client?: string | undefined },
  authenticator: Authenticator,
): Principal {
  const caller = callerOf(socket.request);
  if (token !== undefined) {
    const principal = authenticator.ofToken(token);
    if (caller.kind === 'token' && caller.principal.token?.id !== principal.token?.id) {
      throw new ShannonDashError('INVALID', 'auth.token: is another token than that in the header Authorization; send one of them');
    }
    return principal;
  }
  if (caller.kind === 'token') return caller.principal;
  if (caller.kind === 'local') return unrestricted(client, socket.id);
  throw tokenMissing();
}
