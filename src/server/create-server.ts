import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { homedir } from 'node:os';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Server as SocketServer } from 'socket.io';
import { limits } from '../core/protocol/limits.ts';
import { normalHost } from '../core/loopback.ts';
import { version } from '../executable/own-program.ts';
import type { Journal } from '../journal/journal.ts';
import { MemoryJournal } from '../journal/memory/memory-journal.ts';
import type { OpenWorkTreeCheckpoints } from './agents/work-tree-checkpoints.ts';
import { AgentHooks } from './agents/agent-hooks.ts';
import { Authenticator } from './access/authenticator.ts';
import { BrowserLogins } from './access/browser/browser-logins.ts';
import { callerOf, guardServer } from './access/guarded-server.ts';
import type { IdentityProvider, IdentityProviderOptions } from './access/identity-provider.ts';
import { CallerAddresses } from './access/limits/caller-address.ts';
import { CallerLimits } from './access/limits/caller-limits.ts';
import { FailedTokens } from './access/limits/failed-tokens.ts';
import { LocalUsers } from './access/local-users.ts';
import { OwnToken } from './access/own-token.ts';
import { OriginGuard } from './access/origin-guard.ts';
import { genReqId } from './access/request-mark.ts';
import { Shares } from './access/tokens/shares.ts';
import { TokenRegistry } from './access/tokens/token-registry.ts';
import { CountedLog } from './counted-log.ts';
import { answerBadRequest, answerError } from './http/http-errors.ts';
import { addRoutes } from './http/http-routes.ts';
import { paceAnswers } from './http/paced-answers.ts';
import { KernelSockets } from './kernel-sockets.ts';
import { measureProcess } from './metrics/process-figures.ts';
import type { NotificationOptions } from './notifications/notification-options.ts';
import { Notifications } from './notifications/notifications.ts';
import { Opened } from './opened.ts';
import type { ServerLog } from './server-log.ts';
import type { CutReason } from './sessions/backlog.ts';
import { ReadBudget } from './sessions/read-budget.ts';
import { shutDown } from './shutdown.ts';
import { defaultSkillFolders } from './skills/skill-registry.ts';
import { serveSockets } from './sockets/socket-gateway.ts';
import type { TraceExportOptions } from './telemetry/trace-export.ts';
import { leaveDescriptorRoom } from './tuning/descriptor-room.ts';
import { fullTuning, type Tuning } from './tuning/tuning.ts';
import { UnusedTime } from './unused-time.ts';
import type { RetentionRules } from './sessions/retention.ts';
import { Workspaces } from './workspace/workspaces.ts';

export type { TraceExportOptions } from './telemetry/trace-export.ts';
export { openJournalAt } from '../journal/open-journal.ts';

/** How long a Socket.IO client may take to join. */
const joinMs = 15_000;

export interface ServerOptions {
  /** Where the events are kept. The server closes it. Default: a journal in memory. */
  journal?: Journal;
  /** Further web origins that may call; `*` allows any. */
  corsOrigins?: readonly string[];
  /** Further hosts, as `dash.example`, by which clients may call the server; `*` allows any. Default: those of its own address. */
  allowedHosts?: readonly string[];
  /** The URL by which browsers reach the server where that is not its address, as `https://dash.example` behind a proxy. */
  publicUrl?: string | undefined;
  /** Whether pages on localhost:3000 and :5173, where older dashboards are developed, may call over loopback. Default: true. */
  devOrigins?: boolean;
  /** Further folders of skills. */
  skillFolders?: readonly string[];
  /** The project's folder, whose `.shannon/skills` and `.claude/skills` are read. Default: the working folder. */
  projectFolder?: string;
  /** How long a command may wait to be delivered. Default: an hour. */
  commandExpiryMs?: number;
  /** Whether the program that started the server ends it once no client is connected. `/api/stats` says so. Default: false. */
  endsWhenUnused?: boolean;
  /** A session without an orchestrator is lost when it has been silent for so long. Default: five minutes. */
  lostAfterMs?: number;
  /** What is removed from the journal, and from those of tenants, by and by. Default: nothing. */
  retention?: RetentionRules | undefined;
  /** Shortcuts through private parts of the server's dependencies; `false` switches one off. Default: all are on. */
  tuning?: Partial<Tuning>;
  /** The file with the tokens that callers may show, as `shannon-dash token` writes it. Default: there are none. */
  tokenFile?: string | undefined;
  /** Opens the journal of a tenant that a token names, as `journal` is for the server's own sessions. Default: there are no tenants. */
  openTenantJournal?: ((tenant: string) => Promise<Journal>) | undefined;
  /** An identity provider whose tokens callers may show too. Default: none. */
  identityProvider?: IdentityProviderOptions | undefined;
  /** Where the sessions, but not those of tenants, are sent as traces of OpenTelemetry. Default: nowhere. */
  traceExport?: TraceExportOptions | undefined;
  /** Whether processes of the server's own user, on this machine, need a token too. Default: with `publicUrl`. */
  asksEverybody?: boolean;
  /** Addresses of proxies, or networks as `10.0.0.0/8`, that say truly in `X-Forwarded-For` who calls. Default: none is believed. */
  trustedProxies?: readonly string[];
  /** Whom it tells what needs a person and what has ended, as `shannon-dash notify` has it. Default: nobody. */
  notifications?: NotificationOptions | undefined;
  /** Opens the checkpoints of the work tree that a coding agent works in. Default: none are taken. */
  openCheckpoints?: OpenWorkTreeCheckpoints | undefined;
  /** The longest that a hook of a coding agent is held, in milliseconds. Default: as long as the agent waits for it. */
  hookHoldMs?: number | undefined;
  /** Where the server logs. Default: nowhere. */
  log?: ServerLog;
}

export interface DashServer {
  /** With `asksEverybody`: the token by which the programs of the server's own user are let in, and the key of its proofs. */
  readonly ownToken: { readonly text: string; readonly key: string } | undefined;
  /**
   * Starts to listen. Port 0 takes any free one.
   * @param onListening called before the first connection is taken
   * @throws the system's error, as EADDRINUSE
   */
  listen(address?: { host?: string; port?: number }, onListening?: (place: ListeningPlace) => void): Promise<ListeningPlace>;
  /** For how long no client has been connected and no request under way, measured at each call. */
  unusedMs(): number;
  /** Tells every client that the server stops, commits the waiting events, and closes every connection and the journal. */
  close(): Promise<void>;
}

/** Where a server listens. */
export interface ListeningPlace {
  url: string;
  host: string;
  port: number;
}

/** Composes the server of its parts; it does not listen yet. When a part fails to open, the parts that are open are closed, the journal too. */
export async function createServer(options: ServerOptions = {}): Promise<DashServer> {
  const opened = new Opened();
  try {
    return await compose(options, opened);
  } catch (error) {
    await opened.close().catch(() => undefined);
    throw error;
  }
}

async function compose(options: ServerOptions, opened: Opened): Promise<DashServer> {
  const log = options.log ?? pino({ level: 'silent' });
  const workspaces = opened.keep(await openWorkspaces(options, log), (each) => each.close());
  const kernel = opened.keep(new KernelSockets(), (each) => each.close());
  const budget = opened.keep(new ReadBudget(kernel), (each) => each.close());
  const publicUrl = options.publicUrl === undefined ? undefined : new URL(options.publicUrl).origin;
  const guard = new OriginGuard({
    origins: options.corsOrigins ?? [],
    hosts: options.allowedHosts ?? [],
    allowsDevOrigins: options.devOrigins ?? true,
    publicUrl,
  });
  const tokens =
    options.tokenFile === undefined
      ? undefined
      : opened.keep(
          new TokenRegistry(options.tokenFile, {
            prepare: (tenant) => workspaces.prepare(tenant),
            onProblem: (sentence) => log.error(sentence),
          }),
          (each) => each.close(),
        );
  const shares = tokens && new Shares(tokens);
  const logins = opened.keep(new BrowserLogins(guard, shares), (each) => each.close());
  const app = opened.keep(httpServer(log), (each) => each.close());
  const io = opened.keep(socketServer(app), (each) => Promise.all([each.close(), app.close()]));
  const onProblem = (error: unknown) => log.error({ err: error }, 'a hook of an agent failed');
  const agentHooks = opened.keep(
    new AgentHooks({ mostHoldMs: options.hookHoldMs, openCheckpoints: options.openCheckpoints, onProblem }),
    (each) => each.close(),
  );
  // An agent that is attended uses the server, though it is connected only while it fires a hook; and a browser that starts will.
  const unused = new UnusedTime(() => io.engine.clientsCount + agentHooks.size + logins.waiting);
  unused.count(app);
  const { metrics } = workspaces.own;
  opened.keep(measureProcess(metrics, budget), (stop) => stop());
  const onSlowConsumer = (reason: CutReason) => metrics.slowConsumer(reason);
  const onCut = () => {
    onSlowConsumer('stalled');
    log.warn('slow consumer: answer cut');
  };
  const tuning = { ...fullTuning, ...options.tuning };
  paceAnswers(app, { budget, tuning, onCut });
  await tokens?.ready;
  const provider = options.identityProvider && (await openProvider(options.identityProvider, (tenant) => workspaces.prepare(tenant)));
  const users = new LocalUsers(kernel);
  // A proxy on this machine that says nothing of its callers looks like one of the user's programs.
  const asksEverybody = options.asksEverybody ?? publicUrl !== undefined;
  const ownToken = asksEverybody ? new OwnToken() : undefined;
  const findChild = workspaces.findChild.bind(workspaces);
  const addresses = new CallerAddresses(options.trustedProxies ?? []);
  const callerLimits = new CallerLimits(app.server, { users, asksEverybody, addresses, log });
  const { owners } = callerLimits;
  const known = { addresses, failures: new FailedTokens(), own: ownToken };
  const authenticator = new Authenticator({ tokens, provider, findChild, users, logins, asksEverybody, ...known });
  const edge = {
    as: workspaces.as.bind(workspaces),
    addressOf: callerLimits.addressOf.bind(callerLimits),
    budget,
    tuning,
    version,
    onSlowConsumer,
    onRefused: (error: unknown) => metrics.refused(error),
  };
  serveSockets(io, { ...edge, log, authenticator, onJoined: (connection) => owners.joined(connection) });
  io.engine.on('connection', (connection) => owners.bind(connection, callerOf(connection.request)));
  const isHttps = publicUrl?.startsWith('https:') === true;
  guardServer(app.server, { ...edge, guard, authenticator, limits: callerLimits, log, isHttps });
  leaveDescriptorRoom(app.server, tuning, log);
  const prove = ownToken?.prove.bind(ownToken);
  addRoutes(app, { ...edge, agentHooks, logins, shares, publicUrl, prove, endsWhenUnused: options.endsWhenUnused ?? false });

  // `localhost` has two addresses. The server serves connections to the second like those to the first.
  const loopback6 = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => void app.server.emit('connection', socket));
  opened.keep(loopback6, (each) => each.listening && each.close());
  const notifications =
    options.notifications && opened.keep(new Notifications(workspaces, options.notifications, publicUrl, log), (each) => each.close());
  let closing: Promise<void> | undefined;
  return {
    ownToken,
    async listen({ host = '127.0.0.1', port = 8_000 } = {}, onListening) {
      const isLocalhost = normalHost(host) === 'localhost';
      let place: ListeningPlace | undefined;
      app.server.once('listening', () => {
        const { address, port: actual } = app.server.address() as AddressInfo;
        guard.listensAt(host, address);
        const name = host.includes(':') ? `[${host}]` : host;
        place = { url: `http://${name === '0.0.0.0' || name === '[::]' ? '127.0.0.1' : name}:${actual}`, host, port: actual };
        onListening?.(place);
      });
      await app.listen({ host: isLocalhost ? '127.0.0.1' : host, port });
      if (place === undefined) throw new Error('The server listens, and has not said so');
      if (isLocalhost) await alsoListen(loopback6, place.port);
      workspaces.announce(place.url);
      notifications?.announce(place.url);
      return place;
    },
    unusedMs: () => unused.elapsedMs(),
    close: () => (closing ??= shutDown({ io, app, opened, tuning })),
  };
}

function openWorkspaces(options: ServerOptions, log: ServerLog): Promise<Workspaces> {
  const journal = options.journal ?? new MemoryJournal();
  // The journal reports at most once a second that it cannot be written, so that a refused request does not add a line of its own.
  journal.onProblem((sentence) => log.error(sentence));
  const denials = new CountedLog(log);
  const { projectFolder: cwd = process.cwd(), skillFolders: extra = [], commandExpiryMs, lostAfterMs, retention, traceExport } = options;
  const given = { journal, commandExpiryMs, lostAfterMs, retention, traceExport };
  return Workspaces.open({
    own: {
      ...given,
      skillFolders: defaultSkillFolders({ cwd, home: homedir(), extra }),
      asksEverybody: options.asksEverybody ?? false,
      onProblem: (error) => log.error({ err: error }, 'a background task failed'),
      onWarning: (sentence) => log.warn(sentence),
      onDenial: (denial) =>
        denials.warn(`${denial.verb} ${denial.code}`, { rule: 'access', ...denial }, 'A caller was denied what it asked for'),
    },
    openJournal: options.openTenantJournal,
  });
}

async function openProvider(options: IdentityProviderOptions, prepare: (tenant: string) => Promise<void>): Promise<IdentityProvider> {
  const { IdentityProvider } = await import('./access/identity-provider.ts');
  return new IdentityProvider(options, prepare);
}

function httpServer(log: ServerLog): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log;
  const app: FastifyInstance = fastify({
    loggerInstance,
    genReqId,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: limits.requestBytes,
    forceCloseConnections: true,
    requestTimeout: limits.requestMs,
    http: { headersTimeout: limits.headersMs, connectionsCheckingInterval: limits.headersMs / 2 },
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: answerError,
    clientErrorHandler: answerBadRequest,
  });
  app.setErrorHandler(answerError);
  return app;
}

function socketServer(app: FastifyInstance): SocketServer {
  return new SocketServer(app.server, {
    serveClient: false,
    connectTimeout: joinMs,
    perMessageDeflate: false,
    httpCompression: false,
    // The largest request, with the frame around it.
    maxHttpBufferSize: limits.requestBytes + 4_096,
  });
}

/** Listens at ::1 too. Where the machine has no such address, or the port is taken, 127.0.0.1 is enough. */
function alsoListen(server: TcpServer, port: number): Promise<void> {
  return new Promise((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, '::1', () => resolve());
  });
}
