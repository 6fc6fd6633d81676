import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { BudgetShare, ReadBudget } from '../sessions/read-budget.ts';
import { tcpProgress } from '../tuning/tcp-progress.ts';
import type { Tuning } from '../tuning/tuning.ts';

/** Answers from this length on count in the budget. */
const largeChars = 16 * 1024;
/** What of a file that is being sent is in memory at a time. */
const streamedBytes = 128 * 1024;
/** Answers that never wait for room: they are small, and tell whether the server is well. */
const always: ReadonlySet<string | undefined> = new Set(['/health', '/health/live', '/health/ready', '/metrics']);

/** What was reserved for an answer that is being made. */
const shares = new WeakMap<FastifyReply, BudgetShare>();
/** The answers under way on a connection, in the order of their requests. */
const underWay = new WeakMap<Socket, Set<FastifyReply['raw']>>();

interface Pacing {
  budget: ReadBudget;
  tuning: Tuning;
  /** A client was cut because it does not take an answer. */
  onCut: () => void;
}

/**
 * Keeps unread answers from filling the memory. The answers to requests on one connection are made one after the other, each when
 * the client has taken the one before. A large answer waits for room in the budget. A client that takes nothing of its answer is cut.
 */
export function paceAnswers(app: FastifyInstance, { budget, tuning, onCut }: Pacing): void {
  app.addHook('onRequest', (request, reply, done) => inOrder(request, reply, done));
  app.addHook('preSerialization', async (request, reply, payload) => {
    if (request.method !== 'GET' || always.has(request.routeOptions.url)) return payload;
    const share = await budget.reserve(limits.requestBytes, () => !reply.raw.destroyed);
    // The connection is closed, so this error reaches nobody.
    if (share === undefined) throw new ShannonDashError('UNAVAILABLE', 'The connection was closed');
    shares.set(reply, share);
    return payload;
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    const length =
      payload instanceof Readable ? streamedBytes : typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
    const share = shares.get(reply);
    if (share !== undefined || length >= largeChars) follow(reply, { length, share, budget, tuning, onCut });
    done();
  });
}

function inOrder({ raw: { socket } }: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  let answers = underWay.get(socket);
  if (answers === undefined) underWay.set(socket, (answers = new Set()));
  const before = [...answers].at(-1);
  answers.add(reply.raw);
  reply.raw.once('close', () => answers.delete(reply.raw));
  if (before === undefined) done();
  else if (answers.size > limits.pipelinedRequests) socket.destroy();
  else before.once('close', () => socket.destroyed || done());
}

/** Counts an answer until it was taken. */
function follow(
  reply: FastifyReply,
  { length, share, budget, tuning, onCut }: Pacing & { length: number; share: BudgetShare | undefined },
): void {
  const { socket } = reply.raw;
  share?.resize(length);
  if (share === undefined) budget.charge(length);
  const unfollow = budget.follow({
    waitingBytes: length,
    wantsMore: false,
    progress: () => tcpProgress(socket, tuning),
    connection: () => socket ?? undefined,
    isAway: false,
    cut: () => {
      onCut();
      socket?.resetAndDestroy();
    },
  });
  const end = () => {
    unfollow();
    if (share === undefined) budget.release(length);
    else share.release();
  };
  if (reply.raw.closed || reply.raw.destroyed) end();
  else reply.raw.once('close', end);
}
