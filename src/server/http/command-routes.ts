import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  cancelRequest,
  isFinal,
  parseCommand,
  resendRequest,
  type CommandResult,
  type CommandResults,
} from '../../core/protocol/command.ts';
import { parse } from '../../core/json/parse.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { errorTable, ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { decisionNotFound } from '../access/policy.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import { anonymous, type Principal } from '../access/principal.ts';
import { answerCommandError } from './http-errors.ts';
import { principalOf, principalOrAnonymous, type RouteParts } from './route-parts.ts';
import { addRoute } from './route.ts';

/** `/api/sessions/{id}/commands`: command, and the ledger. */
export function addCommandRoutes(app: FastifyInstance, parts: RouteParts): void {
  addRoute(
    app,
    'command',
    async ({ path: { id }, body, request, reply }) => {
      const command = parseCommand(body());
      if (command.session_id !== undefined && command.session_id !== id) {
        throw new ShannonDashError(
          'INVALID',
          `session_id: the path names ${cutText(id, limits.idChars)}, the body ${command.session_id}; leave it out of the body`,
        );
      }
      return withStatus(reply, await parts.as(principalOf(request), parts.addressOf(request.raw)).command({ ...command, session_id: id }));
    },
    { errorHandler: answerCommandError },
  );
  addRoute(app, 'commands', async ({ path, query, request }) => {
    const ledger = await parts.as(principalOf(request)).ledger(path.id, query);
    return { ...ledger, timestamp: timestampNow() };
  });
  addRoute(app, 'resendCommand', async ({ path: { id, command }, body, request, reply }) => {
    const again = parse(resendRequest, { ...body(), session_id: id, resend_of: command });
    return withStatus(reply, await parts.as(principalOf(request), parts.addressOf(request.raw)).resend(again));
  });
  addRoute(app, 'cancelCommand', async ({ path: { id, command }, request }) => {
    const cancel = parse(cancelRequest, { session_id: id, command_id: command });
    const cancelled = await parts.as(principalOf(request), parts.addressOf(request.raw)).cancel(cancel);
    return { success: true as const, command: cancelled, timestamp: timestampNow() };
  });
}

/** `/api/audit`: the commands of all sessions. */
export function addAuditRoute(app: FastifyInstance, parts: RouteParts): void {
  addRoute(app, 'audit', async ({ query, request }) => {
    const audit = await parts.as(principalOf(request)).audit(query);
    return { ...audit, timestamp: timestampNow() };
  });
}

/** `/api/sessions/{id}/decisions/...`: look at a decision, answer it by its link. */
export function addDecisionRoutes(app: FastifyInstance, parts: RouteParts): void {
  addRoute(app, 'decision', async ({ path: { id, decision: decisionId }, request }) => {
    const { answer_path, ...decision } = await parts.as(principalOf(request)).decision(id, decisionId);
    const { publicUrl } = parts;
    return {
      ...decision,
      session_id: id,
      ...(answer_path === undefined ? {} : { answer_path }),
      ...(answer_path === undefined || publicUrl === undefined ? {} : { answer_url: new URL(answer_path, publicUrl).href }),
      timestamp: timestampNow(),
    };
  });
  addRoute(app, 'answerDecision', async ({ path: { id, decision: decisionId, token }, query: { tenant }, body, request, reply }) => {
    const principal = principalOrAnonymous(request, 'link');
    // The link alone says in whose workspace the decision is.
    const holder = tenant === principal.tenant ? principal : { ...anonymous, by: principal.by, tenant };
    return withStatus(
      reply,
      await accessOf(parts, holder, { raw: request.raw, decisionId }).answerLink({ sessionId: id, decisionId, token }, body),
    );
  });
}

/** @throws ShannonDashError NOT_FOUND there is no such tenant: the same as for a decision that is not there */
function accessOf(
  parts: RouteParts,
  principal: Principal,
  { raw, decisionId }: { raw: FastifyRequest['raw']; decisionId: string },
): WorkspaceAccess {
  try {
    return parts.as(principal, parts.addressOf(raw));
  } catch {
    throw decisionNotFound(decisionId);
  }
}

/** Gives an answer the status that says where its command stands. */
function withStatus<Result extends CommandResult | CommandResults>(reply: FastifyReply, result: Result): Result {
  reply.code('results' in result ? 200 : statusOf(result));
  return result;
}

function statusOf(result: CommandResult): number {
  if (!isFinal(result.status)) return 202;
  return result.status === 'rejected' ? errorTable.CONFLICT.status : 200;
}
