import { readFileSync } from 'node:fs';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { homedir } from 'node:os';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { Server as SocketServer } from 'socket.io';
import { limits } from '../core/protocol/limits.ts';
import { normalHost } from '../core/loopback.ts';
import type { Journal } from '../journal/journal.ts';
import { MemoryJournal } from '../journal/memory/memory-journal.ts';
import { guardServer } from './access/guarded-server.ts';
import { LostSessions } from './sessions/lost-sessions.ts';
import { OriginGuard } from './access/origin-guard.ts';
import { closeAll } from './close-all.ts';
import { CommandLedger } from './commands/command-ledger.ts';
import { DecisionLinks } from './access/decision-links.ts';
import { leaveDescriptorRoom } from './sockets/tuning/descriptor-room.ts';
import { EventIntake } from './sessions/event-intake.ts';
import { allDrained, closeConnections } from './farewell.ts';
import { answerBadRequest, answerError } from './http/http-errors.ts';
import { addRoutes } from './http/http-routes.ts';
import { paceAnswers } from './http/paced-answers.ts';
import { Hub } from './sessions/hub.ts';
import { ReadBudget } from './sessions/read-budget.ts';
import { ServerFigures } from './server-figures.ts';
import { SessionStore, brief } from './sessions/session-store.ts';
import { defaultSkillFolders, startSkillRegistry } from './skills/skill-registry.ts';
import { serveSockets } from './sockets/socket-gateway.ts';

/** After this long, whoever has not let go of its connection is cut. */
const closeGraceMs = 500;

/** How long a request may take to come in. Fastify's own way is to wait for ever. */
const requestMs = 60_000;
/** How long its headers may take, how often that is looked at, and how long a Socket.IO client may take to join. */
const [headersMs, lookMs, joinMs] = [10_000, 5_000, 15_000];

export interface ServerOptions {
  /** Default: one in memory. The server closes it. */
  journal?: Journal;
  /** Further web origins that may call; `*` allows any. */
  corsOrigins?: readonly string[];
  /** Further hosts, as `dash.example`, by which it may be called; `*` allows any. Default: those of this machine that it listens to. */
  allowedHosts?: readonly string[];
  /** Whether pages on localhost:3000 and :5173, where older dashboards are developed, may call over loopback. Default: true. */
  devOrigins?: boolean;
  /** Further folders of skills. */
  skillFolders?: readonly string[];
  /** Whose `.shannon/skills` and `.claude/skills` are the project's. Default: the working folder. */
  projectFolder?: string;
  /** How long a command may wait to be delivered. Default: an hour. */
  commandExpiryMs?: number;
  /** Said in `/api/stats`: whoever serves ends the server when nobody is connected. Default: false. */
  endsWhenUnused?: boolean;
  /** How long nothing is heard of a session that nobody is attached to before it is lost. Default: five minutes. */
  lostAfterMs?: number;
  /** Default: silent. */
  log?: Logger;
}

export interface DashServer {
  /** Starts to listen. Port 0 takes any free one. @throws the system's error, as EADDRINUSE */
  listen(address?: { host?: string; port?: number }): Promise<{ url: string; host: string; port: number }>;
  /** For how long no client was connected and no request under way, as far as one can tell who asks now and then. */
  unusedMs(): number;
  /** Tells clients, commits what waits, lets go of every connection and of the journal. */
  close(): Promise<void>;
}

/** The version in package.json. */
export const version = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** Composes the server of its parts. Nothing listens yet. Should that fail, the journal is closed all the same. */
export async function createServer(options: ServerOptions = {}): Promise<DashServer> {
  const journal = options.journal ?? new MemoryJournal();
  try {
    return await compose(options, journal);
  } catch (error) {
    await closeAll([() => journal.close()]).catch(() => undefined);
    throw error;
  }
}

async function compose(options: ServerOptions, journal: Journal): Promise<DashServer> {
  const log = options.log ?? pino({ level: 'silent' });
  const loggerInstance: FastifyBaseLogger = log;
  const onProblem = (error: unknown) => log.error({ err: error }, 'a background task failed');
  // It says itself that it cannot be written, once a second at most: no line for each request that is refused.
  journal.onProblem((sentence) => log.error(sentence));
  const figures = new ServerFigures();
  const budget = new ReadBudget();
  const store = new SessionStore(journal, onProblem);
  await store.open();
  const hub = new Hub(journal, store, onProblem);
  const lost = new LostSessions({ journal, store, hub, afterMs: options.lostAfterMs, onProblem });
  const producersOf = (sessionId: string) => lost.producersOf(sessionId);
  const ledger = new CommandLedger({ journal, store, hub, figures, producersOf, expiryMs: options.commandExpiryMs, onProblem });
  await ledger.open();
  lost.open();
  // Read beside: whoever asks for them waits, nobody else.
  const skills = startSkillRegistry({
    folders: defaultSkillFolders({ cwd: options.projectFolder ?? process.cwd(), home: homedir(), extra: options.skillFolders ?? [] }),
    usage: () => usageOfSkills(store),
    onProblem: (sentence) => log.warn(sentence),
  });
  const guard = new OriginGuard({
    origins: options.corsOrigins ?? [],
    hosts: options.allowedHosts ?? [],
    allowsDevOrigins: options.devOrigins ?? true,
  });

  const app: FastifyInstance = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.requestBytes,
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: { headersTimeout: headersMs, connectionsCheckingInterval: lookMs },
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: answerError,
    clientErrorHandler: answerBadRequest,
  });
  app.setErrorHandler(answerError);
  paceAnswers(app, {
    budget,
    onCut: () => {
      figures.slowConsumer();
      log.warn('slow consumer: answer cut');
    },
  });
  const io = new SocketServer(app.server, {
    serveClient: false,
    connectTimeout: joinMs,
    perMessageDeflate: false,
    httpCompression: false,
    // The largest request, and the frame around it.
    maxHttpBufferSize: limits.requestBytes + 4_096,
  });
  const intake = new EventIntake(journal, figures);
  serveSockets(io, { hub, intake, lost, ledger, figures, budget, log, epoch: journal.epoch, version });
  journal.subscribe((changes) =>
    figures.committed(changes.reduce((sum, change) => sum + (change.kind === 'appended' ? change.events.length : 0), 0)),
  );
  hub.onChange((change) => {
    if (change.kind !== 'appended') return;
    for (const { type, event } of change.events) {
      if (/^command:(?:applied|failed|rejected|expired)$/.test(type))
        figures.commandEnded(String(event.data['command_type']), type.slice('command:'.length));
    }
  });
  const connections = () => io.engine.clientsCount;
  let requests = 0;
  let usedAt = performance.now();
  app.addHook('onRequest', (_request, reply, done) => {
    requests++;
    reply.raw.once('close', () => {
      requests--;
      usedAt = performance.now();
    });
    done();
  });
  figures.gauge('shannon_dash_connections', 'Connected Socket.IO clients', connections);
  figures.gauge('shannon_dash_sessions', 'Sessions in the journal', () => store.size);
  figures.gauge(
    'shannon_dash_publish_p50_seconds',
    'From an event received to its fan-out: median',
    () => (figures.latency().p50_ms ?? 0) / 1_000,
  );
  figures.gauge(
    'shannon_dash_publish_p99_seconds',
    'From an event received to its fan-out: 99 %',
    () => (figures.latency().p99_ms ?? 0) / 1_000,
  );
  figures.gauge('shannon_dash_waiting_bytes', 'Bytes that wait to be read', () => budget.bytes);
  figures.gauge('shannon_dash_journal_bytes', 'Size of the journal on disk', () => journal.sizeBytes());
  guardServer(app.server, guard, log);
  leaveDescriptorRoom(app.server, log);
  addRoutes(app, {
    journal,
    store,
    hub,
    intake,
    lost,
    ledger,
    links: new DecisionLinks(journal.secret),
    skills,
    figures,
    budget,
    version,
    connections,
    endsWhenUnused: options.endsWhenUnused ?? false,
  });

  // `localhost` is two addresses. What comes to the second is served like what comes to the first.
  const loopback6 = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => void app.server.emit('connection', socket));
  let closing: Promise<void> | undefined;
  const shutDown = async () => {
    io.emit('server:shutdown', { timestamp: new Date().toISOString(), reason: 'the server is stopping' });
    // Farewells and answers under way leave with the packets that are written in this turn.
    await new Promise((resolve) => setImmediate(resolve));
    await allDrained(io, closeGraceMs);
    const cutSockets = closeConnections(io);
    const cut = setTimeout(() => {
      app.server.closeAllConnections();
      cutSockets();
    }, closeGraceMs);
    if (loopback6.listening) loopback6.close();
    await closeAll([
      () => Promise.all([new Promise<void>((resolve) => void io.close(() => resolve())), app.close()]).finally(() => clearTimeout(cut)),
      () => skills.close(),
      () => lost.close(),
      () => ledger.close(),
      () => hub.close(),
      () => budget.close(),
      () => store.close(),
      () => journal.close(),
    ]);
  };
  return {
    async listen({ host = '127.0.0.1', port = 8_000 } = {}) {
      const isLocalhost = normalHost(host) === 'localhost';
      await app.listen({ host: isLocalhost ? '127.0.0.1' : host, port });
      const { address, port: actual } = app.server.address() as AddressInfo;
      guard.listensAt(host, address);
      if (isLocalhost) await alsoListen(loopback6, actual);
      const name = host.includes(':') ? `[${host}]` : host;
      const url = `http://${name === '0.0.0.0' || name === '[::]' ? '127.0.0.1' : name}:${actual}`;
      journal.announce(url);
      return { url, host, port: actual };
    },
    unusedMs() {
      if (connections() + requests > 0) usedAt = performance.now();
      return performance.now() - usedAt;
    },
    close: () => (closing ??= shutDown()),
  };
}

/** Listens on ::1 too, where there is one and its port is free: 127.0.0.1 is enough without. */
function alsoListen(server: TcpServer, port: number): Promise<void> {
  return new Promise((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, '::1', () => resolve());
  });
}

function usageOfSkills(store: SessionStore) {
  const total = new Map<string, { started: number; completed: number; failed: number; duration_s: number; durations: number }>();
  for (const session of store.all()) {
    for (const { skill_name, ...usage } of brief(session).skill_usage) {
      const sum = total.get(skill_name) ?? { started: 0, completed: 0, failed: 0, duration_s: 0, durations: 0 };
      for (const key of ['started', 'completed', 'failed', 'duration_s', 'durations'] as const) sum[key] += usage[key];
      total.set(skill_name, sum);
    }
  }
  return total;
}
