import * as os from 'node:os';
import { userAtHost } from '../../core/text/user-at-host.ts';
import type { Socket } from 'socket.io';
import type { z } from 'zod';
import { parse } from '../../core/json/parse.ts';
import { errorBody, type ErrorBody } from '../../core/protocol/error-answer.ts';
import { handshake } from '../../core/protocol/messages.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { tokenMissing, type Authenticator, type Caller } from '../access/authenticator.ts';
import { callerOf } from '../access/guarded-server.ts';
import { mayKnowPaths } from '../access/local-caller.ts';
import { requestIdOf, type OnRefused } from '../access/request-mark.ts';
import { unrestricted, type Principal } from '../access/principal.ts';

/** What is known of a client when it has joined. */
export interface Joining {
  hello: z.output<typeof handshake>;
  principal: Principal;
  access: WorkspaceAccess;
  knowsPaths: boolean;
}

interface JoiningParts {
  authenticator: Authenticator;
  as: (principal: Principal, address: string) => WorkspaceAccess;
  addressOf: (request: Socket['request']) => string;
}

interface RefusingParts extends JoiningParts {
  /** A client is known, and may stay. */
  onJoined: (connection: object) => void;
  onRefused: OnRefused;
}

/** Finds out who the client is; gives the reason why it is not let in. */
export async function refusalOf(
  socket: Socket,
  parts: RefusingParts,
  onRefused: (body: ErrorBody, address: string) => void,
): Promise<Error | undefined> {
  try {
    socket.data = await joiningOf(socket, parts);
    parts.onJoined(socket.conn);
    return undefined;
  } catch (error) {
    const body = errorBody(error, requestIdOf(socket.request));
    parts.onRefused(error);
    onRefused(body, parts.addressOf(socket.request));
    return Object.assign(new Error(body.error), { data: body });
  }
}

/** @throws ShannonDashError (by its promise) the handshake, or the token, is wrong */
async function joiningOf(socket: Socket, { authenticator, as, addressOf }: JoiningParts): Promise<Joining> {
  const { auth, query } = socket.handshake;
  const hello = parse(handshake, { ...auth, session_id: auth['session_id'] ?? query['session_id'] });
  const caller = await callerOfSocket(socket, hello.token, authenticator);
  if (caller.kind === 'unknown') throw tokenMissing();
  const principal = caller.kind === 'token' ? caller.principal : unrestricted(hello.client, userAtHost(os));
  return {
    hello,
    principal,
    access: as(principal, addressOf(socket.request)),
    knowsPaths: caller.kind === 'local' && mayKnowPaths(socket.request),
  };
}

/**
 * Who a Socket.IO client is: by the token in its `auth`, else by its request.
 * @throws ShannonDashError UNAUTHENTICATED, or INVALID for two different tokens
 */
async function callerOfSocket(socket: Socket, token: string | undefined, authenticator: Authenticator): Promise<Caller> {
  const caller = callerOf(socket.request);
  if (token === undefined) return caller;
  const shown = await authenticator.callerWith(token, socket.request);
  const isSame = shown.kind === 'token' && caller.kind === 'token' && shown.principal.token?.id === caller.principal.token?.id;
  if (caller.kind === 'token' && !isSame) {
    throw new ShannonDashError('INVALID', 'auth.token: is another token than that in the header Authorization; send one of them');
  }
  return shown;
}
