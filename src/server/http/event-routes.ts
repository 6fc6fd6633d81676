import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { eventFilter, eventTypes } from '../../core/event-filter.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { sessionId } from '../../core/ids.ts';
import { headerOf, recordingSuffix } from '../../core/recording/recording.ts';
import type { Cursor } from '../../core/protocol/event.ts';
import { limits } from '../../core/protocol/limits.ts';
import { parse } from '../../core/json/parse.ts';
import type { ReadRange } from '../../journal/journal.ts';
import type { CutReason } from '../sessions/backlog.ts';
import { firstAvailable, type SessionHistory } from '../workspace/workspace-requests.ts';
import { principalOf, type RouteParts } from './route-parts.ts';
import { addRoute, type Call } from './route.ts';
import { PacedResponse } from './paced-response.ts';
import { SseWatcher } from './stream-watcher.ts';

/** Characters of history in one JSON answer; `next` says where to go on. */
const historyChars = limits.requestBytes;

/** `/api/sessions/{id}/events`: publish, history, live stream. */
export function addEventRoutes(app: FastifyInstance, parts: RouteParts): void {
  addRoute(app, 'publish', ({ path, body, request }) => {
    const id = parse(sessionId, path.id, 'session_id');
    const given = body();
    const events: unknown[] = Array.isArray(given) ? given : [given];
    return parts.as(principalOf(request)).publish({ session_id: id, events }, { wantsAnswer: true });
  });
  addRoute(app, 'history', async (call) => {
    const { path, query, request, reply } = call;
    const accept = request.headers.accept ?? '';
    const globs = query.types?.split(',').filter((glob) => glob !== '');
    const filter = eventFilter(globs === undefined ? undefined : parse(eventTypes, globs, 'types'));
    const { since, until } = query;
    if (accept.includes('text/event-stream')) {
      if (since !== undefined || until !== undefined) throw new ShannonDashError('INVALID', 'since and until are not for a live stream');
      return streamLive(call, parts, filter);
    }
    const access = parts.as(principalOf(request));
    await access.ready(path.id);
    const history = access.history(path.id, query.limit);
    reply.raw.once('close', () => history.close());
    // Through here and no further: what is journalled while this reads belongs to the next answer.
    const range = {
      after: query.after,
      limit: query.limit,
      through: Math.min(history.seq, query.through ?? history.seq),
      filter,
      since,
      until,
    };
    const isLines = accept.includes('application/x-ndjson');
    const pieces = historyPieces(history, { range, isLines });
    const type = isLines ? 'application/x-ndjson' : 'application/json; charset=utf-8';
    return sendPieces(request, reply, { parts, headers: { 'content-type': type }, pieces });
  });
  addRoute(app, 'recording', async ({ path, request, reply }) => {
    const access = parts.as(principalOf(request));
    const begin = await access.state(path.id, 0);
    const history = access.history(path.id, Infinity);
    reply.raw.once('close', () => history.close());
    const { seq, epoch } = history;
    if (epoch !== begin.epoch) throw new ShannonDashError('CONFLICT', 'The session was deleted meanwhile; try again');
    const header = `${JSON.stringify(headerOf(begin, seq, parts.version))}\n`;
    const range = { after: 0, limit: Math.max(1, seq), through: seq, filter: () => true };
    const pieces = historyPieces(history, { range, isLines: true, begin: header });
    const file = `${path.id.replaceAll(/[^\w.-]/g, '_')}${recordingSuffix}`;
    const headers = { 'content-type': 'application/x-ndjson', 'content-disposition': `attachment; filename="${file}"` };
    return sendPieces(request, reply, { parts, headers, pieces });
  });
}

/** A piece of an answer. */
interface Piece {
  text: string;
  isLast: boolean;
}

/** The history as lines after a first one, or as one JSON document, read piece by piece at the pace of the client. */
async function* historyPieces(
  history: SessionHistory,
  { range, isLines, begin: firstLine = '' }: { range: ReadRange & { through: number }; isLines: boolean; begin?: string },
): AsyncGenerator<Piece, undefined> {
  let { limit } = range;
  const first = firstAvailable({ cut: history.cut() });
  let after = Math.max(range.after, history.cut());
  let charsLeft = isLines ? Infinity : historyChars;
  let isFirst = true;
  for (;;) {
    const most = Math.min(limits.pieceBytes, charsLeft);
    const events = await history.read({ ...range, after, limit, maxChars: most });
    if (history.cut() > after) throw new ShannonDashError('GONE', 'Retention has taken what comes next while this was read');
    const chars = events.reduce((sum, event) => sum + event.json.length, 0);
    charsLeft -= chars;
    limit -= events.length;
    const isPart = limit <= 0 || charsLeft <= 0;
    const isLast = isPart || chars < most;
    after = events.at(-1)?.seq ?? after;
    if (isLines) {
      yield { text: `${isFirst ? firstLine : ''}${events.map((event) => `${event.json}\n`).join('')}`, isLast };
    } else {
      // A place beyond the end is one of another history: who asks for what comes next goes on with the next event of this one.
      const next = Math.min(isPart ? after : Math.max(after, range.through), history.seq);
      const begin = isFirst ? '{"events":[' : '';
      const end = isLast ? `],${JSON.stringify({ epoch: history.epoch, next, ...first }).slice(1)}` : '';
      const comma = isFirst || events.length === 0 ? '' : ',';
      yield { text: `${begin}${comma}${events.map((event) => event.json).join(',')}${end}`, isLast };
    }
    if (isLast) return;
    isFirst = false;
  }
}

/** Sends an answer that may be large. A failure at the first piece is answered as an error; a later one cuts the answer. */
async function sendPieces(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    parts: { budget, tuning, onSlowConsumer },
    headers,
    pieces,
  }: { parts: RouteParts; headers: Record<string, string>; pieces: AsyncGenerator<Piece, undefined> },
): Promise<FastifyReply> {
  const share = await budget.reserve(limits.pieceBytes, () => !reply.raw.destroyed);
  if (share === undefined) return reply.hijack();
  let piece: Piece;
  try {
    piece = (await pieces.next()).value ?? { text: '', isLast: true };
  } catch (error) {
    share.release();
    throw error;
  }
  if (piece.isLast || request.method === 'HEAD') {
    share.release();
    return reply.headers(headers).send(piece.isLast ? piece.text : '');
  }
  const onCut = (reason: CutReason) => {
    onSlowConsumer(reason);
    request.log.warn({ path: request.routeOptions.url }, 'slow consumer: answer cut');
  };
  const response = new PacedResponse(reply, { headers, budget, tuning, onCut });
  const { text } = piece;
  try {
    let isThere = await response.paced(share, () => text);
    const sent = { isLast: false };
    while (isThere && !sent.isLast) {
      isThere = await response.paced(limits.pieceBytes, async () => {
        const next = await pieces.next();
        sent.isLast = next.value?.isLast !== false;
        return next.value?.text ?? '';
      });
    }
    response.end();
  } catch (error) {
    request.log.error({ err: error }, 'a history could not be read to its end');
    response.drop();
  }
  return reply;
}

/** Server-Sent Events: the history after `Last-Event-ID` (or `?after=`) first, then live until the reader goes. */
async function streamLive(
  { path, query, request, reply }: Call<'history'>,
  parts: RouteParts,
  filter: (type: string) => boolean,
): Promise<undefined> {
  const id = parse(sessionId, path.id, 'session_id');
  const access = parts.as(principalOf(request));
  // While the answer can still be an error: the head of a stream says that all is well.
  access.checkAccess('watch', id);
  const after = lastEventId(request) ?? ('after' in (request.query as object) ? { seq: query.after } : undefined);
  const response = new PacedResponse(reply, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
    budget: parts.budget,
    tuning: parts.tuning,
    onCut: (reason) => {
      parts.onSlowConsumer(reason);
      request.log.warn({ session: id }, 'slow consumer: stream cut');
    },
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const watcher = new SseWatcher(response, filter);
  response.onClose(() => watcher.close());
  const onJoined = ({ epoch }: Cursor) => (watcher.epoch = epoch);
  const subscription = await access.watch(id, watcher, { after, filter, onJoined }).catch((error: unknown) => {
    watcher.cut();
    throw error;
  });
  response.onClose(() => subscription.close());
}

function lastEventId(request: FastifyRequest): { epoch: string; seq: number } | undefined {
  const header = request.headers['last-event-id'];
  const match = typeof header === 'string' ? /^(.{1,128}):(\d{1,16})$/.exec(header) : null;
  return match?.[1] === undefined ? undefined : { epoch: match[1], seq: Number(match[2]) };
}
