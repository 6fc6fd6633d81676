import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isFinal, parseCommand, type CommandResult } from '../../core/protocol/command.ts';
import { cutText } from '../../core/text/cut-text.ts';
import { errorTable, ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { parse } from '../../core/json/parse.ts';
import { text, textOf } from '../../core/text/text.ts';
import { timestampNow } from '../../core/timestamp.ts';
import { answerCommandError } from './http-errors.ts';
import { principalOf, wholeNumber, type PathParameters, type RouteParts } from './route-parts.ts';

const ledgerQuery = z.object({
  status: z.enum(['queued', 'delivered', 'applied', 'failed', 'rejected', 'expired'], 'must be a status of a command').optional(),
  limit: wholeNumber(1_000).default(100),
});

const answerRequest = z.object({
  choice: text.min(1, 'must not be empty'),
  comment: textOf(10_000).optional(),
});

/** `/api/sessions/{id}/commands`: command, and the ledger. */
export function addCommandRoutes(app: FastifyInstance, parts: RouteParts): void {
  app.post<{ Params: PathParameters }>('/api/sessions/:id/commands', { errorHandler: answerCommandError }, async (request, reply) => {
    const command = parseCommand(request.body);
    const { id } = request.params;
    if (command.session_id !== undefined && command.session_id !== id) {
      throw new ShannonDashError(
        'INVALID',
        `session_id: the path names ${cutText(id, limits.idChars)}, the body ${command.session_id}; leave it out of the body`,
      );
    }
    const result = await parts.as(principalOf(request)).command({ ...command, session_id: id });
    return reply.code('results' in result ? 200 : statusOf(result)).send(result);
  });
  app.get<{ Params: PathParameters }>('/api/sessions/:id/commands', async (request) => {
    const ledger = await parts.as(principalOf(request)).ledger(request.params.id, parse(ledgerQuery, request.query));
    return { ...ledger, timestamp: timestampNow() };
  });
}

/** `/api/sessions/{id}/decisions/...`: look at a decision, answer it by its link. */
export function addDecisionRoutes(app: FastifyInstance, parts: RouteParts): void {
  app.get<{ Params: PathParameters }>('/api/sessions/:id/decisions/:decision', async (request) => {
    const { id, decision: decisionId } = request.params;
    const { answer_path, ...decision } = await parts.as(principalOf(request)).decision(id, decisionId);
    return { ...decision, session_id: id, ...(answer_path === undefined ? {} : { answer_path }), timestamp: timestampNow() };
  });
  app.post<{ Params: PathParameters }>('/api/sessions/:id/decisions/:decision/answer/:token', async (request, reply) => {
    const { id, decision: decisionId, token } = request.params;
    const answer = () => parse(answerRequest, request.body);
    const result = await parts.as(principalOf(request, 'link')).answerLink({ sessionId: id, decisionId, token }, answer);
    return reply.code('results' in result ? 200 : statusOf(result)).send(result);
  });
}

function statusOf(result: CommandResult): number {
  if (!isFinal(result.status)) return 202;
  return result.status === 'rejected' ? errorTable.CONFLICT.status : 200;
}
