import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isFinal, parseCommand, type CommandResult } from '../core/command.ts';
import { errorBody, errorTable, isErrorBody, ShannonDashError, type ErrorCode } from '../core/errors.ts';
import { eventFilter, eventTypes } from '../core/event-filter.ts';
import { sessionId } from '../core/ids.ts';
import { jsonText } from '../core/json.ts';
import { limits } from '../core/limits.ts';
import { createSessionRequest } from '../core/messages.ts';
import { parse } from '../core/parse.ts';
import type { SessionState } from '../core/session-state.ts';
import type { Journal, ReadRange } from '../journal/journal.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { DecisionLinks } from './decision-links.ts';
import type { EventIntake } from './event-intake.ts';
import type { Hub } from './hub.ts';
import { openApiDocument } from './openapi.ts';
import type { ServerFigures } from './server-figures.ts';
import { brief, type SessionStore, type StoredSession } from './session-store.ts';
import type { SkillRegistry } from './skill-registry.ts';
import { SseWatcher } from './stream-watcher.ts';

export interface RouteParts {
  journal: Journal;
  store: SessionStore;
  hub: Hub;
  intake: EventIntake;
  ledger: CommandLedger;
  links: DecisionLinks;
  skills: SkillRegistry;
  figures: ServerFigures;
  version: string;
  connections: () => number;
}

/** Characters of history in one JSON answer; `next` says where to go on. */
const historyChars = limits.requestBytes;

const wholeNumber = (max: number) =>
  z.coerce.number('must be a number').int('must be a whole number').nonnegative('must not be negative').max(max, `must be at most ${max}`);

const historyQuery = z.object({
  after: wholeNumber(Number.MAX_SAFE_INTEGER).default(0),
  limit: wholeNumber(limits.historyEvents).default(1_000),
  types: z.string().max(4_096).optional(),
});
const stateQuery = z.object({ at: wholeNumber(Number.MAX_SAFE_INTEGER).optional() });
const ledgerQuery = z.object({
  status: z.enum(['queued', 'delivered', 'applied', 'failed', 'rejected', 'expired'], 'must be a status of a command').optional(),
  limit: wholeNumber(1_000).default(100),
});
const skillsQuery = z.object({
  category: z.string().optional(),
  domain: z.string().optional(),
  tag: z.string().optional(),
  q: z.string().optional(),
});
const answerRequest = z.object({
  choice: z.string('must be a text').min(1, 'must not be empty'),
  comment: z.string('must be a text').max(10_000).optional(),
});

type Params = { id: string; name: string; decision: string; token: string };

/** Adds every HTTP route: protocol, section 7. */
export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  addBodyParsers(app);
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, new ShannonDashError('NOT_FOUND', `There is no ${request.method} ${request.url.slice(0, 200)}; see GET /api/docs`)),
  );
  addServerRoutes(app, parts);
  addSessionRoutes(app, parts);
  addEventRoutes(app, parts);
  addCommandRoutes(app, parts);
  addDecisionRoutes(app, parts);
}

function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch (error) {
      done(new ShannonDashError('INVALID', `The body is not JSON: ${(error as Error).message}`));
    }
  });
  app.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (_request, body, done) => {
    const lines = String(body).split('\n');
    const events: unknown[] = [];
    for (const [index, line] of lines.entries()) {
      if (line.trim() === '') continue;
      try {
        events.push(JSON.parse(line));
      } catch (error) {
        done(new ShannonDashError('INVALID', `Line ${index + 1} is not JSON: ${(error as Error).message}`));
        return;
      }
    }
    done(null, events);
  });
}

function addServerRoutes(app: FastifyInstance, { figures, store, hub, journal, ledger, skills, version, connections }: RouteParts): void {
  app.get('/health', () => ({
    status: 'healthy',
    version,
    timestamp: new Date().toISOString(),
    active_sessions: [...store.all()].filter((session) => !['completed', 'failed'].includes(brief(session).status)).length,
    connected_clients: connections(),
    uptime_seconds: figures.uptimeSeconds,
  }));
  app.get('/api/stats', () => ({
    total_connections: connections(),
    sessions: Object.fromEntries([...store.all()].map(({ head }) => [head.session_id, hub.watchers(head.session_id)])),
    timestamp: new Date().toISOString(),
    version,
    uptime_seconds: figures.uptimeSeconds,
    events_total: figures.eventsTotal,
    events_per_second: figures.eventsPerSecond,
    publish: figures.latency(),
    orchestrators: ledger.orchestrators,
    journal: { location: journal.location, size_bytes: journal.sizeBytes() },
  }));
  app.get('/metrics', async (_request, reply) => reply.type(figures.registry.contentType).send(await figures.registry.metrics()));
  app.get('/api/docs', () => openApiDocument(version));
  app.get('/api/skills', (request) => {
    const found = skills.list(parse(skillsQuery, request.query));
    return { skills: found, total: found.length, ...(skills.problems.length === 0 ? {} : { problems: skills.problems }) };
  });
  app.get<{ Params: Params }>('/api/skills/:name', (request) => {
    const skill = skills.get(request.params.name);
    if (skill === undefined) throw new ShannonDashError('NOT_FOUND', `Skill not found: ${request.params.name}`);
    return skill;
  });
}

function addSessionRoutes(app: FastifyInstance, { store, hub, journal }: RouteParts): void {
  app.get('/api/sessions', () => {
    const sessions = [...store.all()].map((session) => summary(session, hub));
    return { sessions, total: sessions.length };
  });
  app.post('/api/sessions', async (request, reply) => {
    const origin = parse(createSessionRequest, request.body);
    jsonText(origin.metadata ?? {}, 'metadata');
    if (store.size >= limits.sessions)
      throw new ShannonDashError('LIMIT_REACHED', `There are ${limits.sessions} sessions; delete one first`);
    const head = await journal.create({ ...origin, created_at: new Date().toISOString() });
    return reply.code(201).send(await wholeState(store, head.session_id, undefined));
  });
  app.get<{ Params: Params }>('/api/sessions/:id', (request) => {
    const { at } = parse(stateQuery, request.query);
    return wholeState(store, request.params.id, at);
  });
  app.delete<{ Params: Params }>('/api/sessions/:id', async (request) => {
    if (!(await journal.delete(request.params.id))) throw sessionNotFound(request.params.id);
    return { success: true, message: `Session ${request.params.id} and its journal are deleted` };
  });
}

function addEventRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { intake, journal, store } = parts;
  app.post<{ Params: Params }>('/api/sessions/:id/events', (request) => {
    const id = parse(sessionId, request.params.id, 'session_id');
    const events = Array.isArray(request.body) ? request.body : [request.body];
    return intake.publish({ session_id: id, events }, clientName(request) ?? undefined, () => undefined);
  });
  app.get<{ Params: Params }>('/api/sessions/:id/events', async (request, reply) => {
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
  request: FastifyRequest<{ Params: Params }>,
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
  const subscription = await parts.hub.subscribe(id, watcher, { after, filter });
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

function addCommandRoutes(app: FastifyInstance, { ledger, store }: RouteParts): void {
  app.post<{ Params: Params }>('/api/sessions/:id/commands', async (request, reply) => {
    const command = parseCommand(request.body);
    const result = await ledger.submit({ ...command, session_id: request.params.id }, clientName(request) ?? 'http');
    return reply.code('results' in result ? 200 : statusOf(result)).send(result);
  });
  app.get<{ Params: Params }>('/api/sessions/:id/commands', async (request) => {
    if (store.get(request.params.id) === undefined) throw sessionNotFound(request.params.id);
    return ledger.history(request.params.id, parse(ledgerQuery, request.query));
  });
}

function addDecisionRoutes(app: FastifyInstance, { store, ledger, links }: RouteParts): void {
  const find = async (id: string, decisionId: string) => {
    const state = await store.load(id);
    const decision = state?.decisions.find((each) => each.decision_id === decisionId);
    if (decision === undefined) throw new ShannonDashError('NOT_FOUND', `Decision not found: ${decisionId}`);
    return { decision, key: { sessionId: id, decisionId, epoch: store.get(id)?.head.epoch ?? '' } };
  };
  app.get<{ Params: Params }>('/api/sessions/:id/decisions/:decision', async (request) => {
    const { decision, key } = await find(request.params.id, request.params.decision);
    return { ...decision, session_id: request.params.id, ...(decision.status === 'open' ? { answer_path: links.path(key) } : {}) };
  });
  app.post<{ Params: Params }>('/api/sessions/:id/decisions/:decision/answer/:token', async (request, reply) => {
    const { id, decision: decisionId, token } = request.params;
    const { key } = await find(id, decisionId);
    if (!links.isValid(key, token)) throw new ShannonDashError('NOT_FOUND', `Decision not found: ${decisionId}`);
    const { choice, comment } = parse(answerRequest, request.body);
    const command = parseCommand({ type: 'DECISION', decision_id: decisionId, choice, comment });
    const result = await ledger.submit({ ...command, session_id: id }, clientName(request) ?? 'link');
    return reply.code('results' in result ? 200 : statusOf(result)).send(result);
  });
}

/** How a session is listed. */
function summary(session: StoredSession, hub: Hub) {
  const { status, current_skill, progress, orchestrator, updated_at, open_decisions } = brief(session);
  const { session_id, created_at, seq } = session.head;
  return {
    session_id,
    created_at,
    updated_at,
    status,
    current_skill,
    progress,
    seq,
    watchers: hub.watchers(session_id),
    orchestrator,
    open_decisions,
  };
}

async function wholeState(store: SessionStore, id: string, at: number | undefined): Promise<SessionState & { epoch: string }> {
  const state = at === undefined ? await store.load(id) : await store.at(id, at);
  const session = store.get(id);
  if (state === undefined || session === undefined) throw sessionNotFound(id);
  return { ...state, epoch: session.head.epoch };
}

function sessionNotFound(id: string): ShannonDashError {
  return new ShannonDashError('NOT_FOUND', `Session not found: ${id.slice(0, limits.idChars)}`);
}

/** Who says it is calling, for the ledger: `X-Client` (without tokens nobody can prove it). */
function clientName(request: FastifyRequest): string | null {
  const header = request.headers['x-client'];
  return typeof header === 'string' && header !== '' ? header.slice(0, limits.idChars) : null;
}

function statusOf(result: CommandResult): number {
  if (!isFinal(result.status)) return 202;
  return result.status === 'rejected' ? errorTable.CONFLICT.status : 200;
}

/** Answers any error in the one form, also those of Fastify's own router. To be set before any plugin adds routes. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  void sendError(reply, toKnownError(error, request));
}

/** Answers what is no HTTP at all. */
export function answerBadRequest(error: Error & { code?: string }, socket: Socket): void {
  if (socket.writable && error.code !== 'ECONNRESET') {
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
    const body = JSON.stringify(errorBody(new ShannonDashError('INVALID', `This is no HTTP request that can be read: ${error.message}`)));
    socket.write(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

function sendError(reply: FastifyReply, error: ShannonDashError): FastifyReply {
  return reply.code(errorTable[error.code].status).send(errorBody(error));
}

/** Fastify's own errors in our form; anything unexpected is logged and answered without its text. */
function toKnownError(error: unknown, request: FastifyRequest): ShannonDashError {
  if (error instanceof ShannonDashError) return error;
  if (isErrorBody(error)) return new ShannonDashError(error.code, error.error);
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  const byStatus: Record<number, ErrorCode> = {
    400: 'INVALID',
    404: 'NOT_FOUND',
    413: 'TOO_LARGE',
    // A name longer than any can be.
    414: 'NOT_FOUND',
    415: 'UNSUPPORTED',
    503: 'UNAVAILABLE',
  };
  const code = statusCode === undefined ? undefined : byStatus[statusCode];
  if (code !== undefined) return new ShannonDashError(code, (message ?? 'Bad request').slice(0, 300));
  request.log.error({ err: error }, 'a request failed');
  return new ShannonDashError('INTERNAL', 'Internal error');
}
