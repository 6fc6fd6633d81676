import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { eventFilter, eventTypes } from '../../core/event-filter.ts';
import { sessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { parse } from '../../core/parse.ts';
import type { Journal, ReadRange } from '../../journal/journal.ts';
import { clientName, sessionNotFound, wholeNumber, type PathParameters, type RouteParts } from './route-parts.ts';
import { SseWatcher } from './stream-watcher.ts';

/** Characters of history in one JSON answer; `next` says where to go on. */
const historyChars = limits.requestBytes;

const historyQuery = z.object({
  after: wholeNumber(Number.MAX_SAFE_INTEGER).default(0),
  limit: wholeNumber(limits.historyEvents).default(1_000),
  types: z.string().max(4_096).optional(),
});

/** `/api/sessions/{id}/events`: publish, history, live stream. */
export function addEventRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { intake, journal, store } = parts;
  app.post<{ Params: PathParameters }>('/api/sessions/:id/events', (request) => {
    const id = parse(sessionId, request.params.id, 'session_id');
    const events = Array.isArray(request.body) ? request.body : [request.body];
    return intake.publish(
      { session_id: id, events },
      { source: clientName(request) ?? undefined, mayPublish: () => undefined, wantsAnswer: true },
    );
  });
  app.get<{ Params: PathParameters }>('/api/sessions/:id/events', async (request, reply) => {
    const accept = request.headers.accept ?? '';
    const query = parse(historyQuery, request.query);
    const globs = query.types?.split(',').filter((glob) => glob !== '');
    const filter = eventFilter(globs === undefined ? undefined : parse(eventTypes, globs, 'types'));
    if (accept.includes('text/event-stream')) return streamLive(request, reply, parts, filter);
    const session = store.get(request.params.id);
    if (session === undefined) throw sessionNotFound(request.params.id);
    // Through here and no further: what is journalled while this reads belongs to the next answer.
    const { epoch, seq: through } = session.head;
    const range = { after: query.after, limit: query.limit, through, filter };
    if (accept.includes('application/x-ndjson')) {
      return reply.type('application/x-ndjson').send(Readable.from(historyLines(journal, request.params.id, range)));
    }
    const events = await journal.read(request.params.id, { ...range, maxChars: historyChars });
    const chars = events.reduce((sum, event) => sum + event.json.length, 0);
    const isPart = events.length === query.limit || chars >= historyChars;
    const next = isPart ? (events.at(-1)?.seq ?? query.after) : Math.max(query.after, through);
    const json = `{"events":[${events.map((event) => event.json).join(',')}],"epoch":${JSON.stringify(epoch)},"next":${next}}`;
    return reply.type('application/json; charset=utf-8').send(json);
  });
}

/** History as lines, read piece by piece at the pace of who takes them. */
async function* historyLines(journal: Journal, id: string, range: ReadRange): AsyncGenerator<string> {
  let { after, limit } = range;
  while (limit > 0) {
    const events = await journal.read(id, { ...range, after, limit, maxChars: historyChars / 4 });
    const last = events.at(-1);
    if (last === undefined) return;
    yield events.map((event) => `${event.json}\n`).join('');
    after = last.seq;
    limit -= events.length;
  }
}

/** Server-Sent Events: the history after `Last-Event-ID` (or `?after=`) first, then live until the reader goes. */
async function streamLive(
  request: FastifyRequest<{ Params: PathParameters }>,
  reply: FastifyReply,
  parts: RouteParts,
  filter: (type: string) => boolean,
) {
  const id = parse(sessionId, request.params.id, 'session_id');
  const session = parts.store.get(id);
  const epoch = session?.head.epoch ?? parts.journal.epoch;
  const after =
    lastEventId(request) ?? ('after' in (request.query as object) ? { epoch, seq: parse(historyQuery, request.query).after } : undefined);
  reply.hijack();
  const response = reply.raw;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) response.setHeader(name, value);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const watcher = new SseWatcher(response, { epoch, filter, onCut: () => parts.figures.slowConsumer() });
  const subscription = await parts.hub.subscribe(id, watcher, { after, filter }).catch((error: unknown) => {
    watcher.close();
    watcher.cut();
    throw error;
  });
  const end = () => {
    watcher.close();
    subscription.close();
  };
  if (response.closed || response.destroyed) end();
  else response.once('close', end);
}

function lastEventId(request: FastifyRequest): { epoch: string; seq: number } | undefined {
  const header = request.headers['last-event-id'];
  const match = typeof header === 'string' ? /^(.{1,128}):(\d{1,16})$/.exec(header) : null;
  return match?.[1] === undefined ? undefined : { epoch: match[1], seq: Number(match[2]) };
}
