import { newId } from '../../core/ids.ts';
import type { Journal } from '../../journal/journal.ts';
import { AccessChecks, type Denial } from '../access/access-checks.ts';
import { PrincipalLimits } from '../access/limits/principal-limits.ts';
import { DecisionLinks } from '../access/decision-links.ts';
import type { Principal } from '../access/principal.ts';
import { ChildTokens, type ChildTokenText } from '../access/tokens/child-tokens.ts';
import { CommandLedger } from '../commands/command-ledger.ts';
import { Metrics } from '../metrics/metrics.ts';
import { Opened } from '../opened.ts';
import { EventIntake } from '../sessions/event-intake.ts';
import { Hub } from '../sessions/watching/hub.ts';
import { LostSessions } from '../sessions/lost-sessions.ts';
import { Retention, type RetentionRules } from '../sessions/retention.ts';
import { oncePerTurn } from '../turns.ts';
import { FoldGivenUp } from '../sessions/history-fold.ts';
import { SessionStore } from '../sessions/session-store.ts';
import type { SkillFolder } from '../skills/skill-folder.ts';
import { startSkillRegistry } from '../skills/skill-registry.ts';
import type { TraceExportOptions } from '../telemetry/trace-export.ts';
import { WorkspaceAccess } from './workspace-access.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

export interface WorkspaceOptions {
  /** The workspace closes it. */
  journal: Journal;
  skillFolders: readonly SkillFolder[];
  /** How long a command may wait to be delivered. */
  commandExpiryMs?: number | undefined;
  /** A session without an orchestrator is lost when it has been silent for so long. */
  lostAfterMs?: number | undefined;
  /** What of the journal is removed by and by. Default: nothing. */
  retention?: RetentionRules | undefined;
  /** Whether a program of the server's own user needs a token too. */
  asksEverybody?: boolean | undefined;
  /** Where the sessions are sent as traces. Default: nowhere. */
  traceExport?: TraceExportOptions | undefined;
  /** Takes an unexpected error of work in the background. */
  onProblem: (error: unknown) => void;
  /** Takes a sentence for the person that runs the server. */
  onWarning: (sentence: string) => void;
  /** A known caller was denied something. */
  onDenial?: ((denial: Denial) => void) | undefined;
}

/** Everything that belongs to one tenant: its journal, and what the server makes of it. */
export class Workspace {
  readonly #parts: WorkspaceParts;
  readonly #opened: Opened;

  private constructor(parts: WorkspaceParts, opened: Opened) {
    this.#parts = parts;
    this.#opened = opened;
  }

  /** Opens the parts one after the other. When one of them fails, those before it are closed, and the journal too. */
  static async open(options: WorkspaceOptions): Promise<Workspace> {
    const opened = new Opened();
    try {
      return new Workspace(await openParts(options, opened), opened);
    } catch (error) {
      await opened.close().catch(options.onProblem);
      throw error;
    }
  }

  get metrics(): Metrics {
    return this.#parts.metrics;
  }

  /** What a principal can do here. This is all that an edge of the server gets. */
  as(principal: Principal, address?: string): WorkspaceAccess {
    return new WorkspaceAccess(this.#parts, principal, address);
  }

  /** The principal of the token of an orchestrator's child. */
  findChild(token: ChildTokenText): Principal | undefined | Promise<Principal | undefined> {
    return this.#parts.childTokens.find(token);
  }

  /** Writes beside the journal where this server listens, for a second server that finds the journal taken. */
  announce(url: string): void {
    this.#parts.journal.announce(url);
  }

  /** Commits the waiting events and closes every part, the journal last. */
  close(): Promise<void> {
    return this.#opened.close();
  }
}

async function openParts(options: WorkspaceOptions, opened: Opened): Promise<WorkspaceParts> {
  const { onWarning } = options;
  const onProblem = (error: unknown) => {
    if (!(error instanceof FoldGivenUp)) options.onProblem(error);
  };
  const journal = opened.keep(options.journal, (each) => each.close());
  const metrics = new Metrics();
  const serverId = newId();
  opened.keep(journal.join(serverId), (leave) => leave());
  const store = opened.keep(new SessionStore(journal, onProblem), (each) => each.close());
  await store.open();
  const hub = opened.keep(new Hub(journal, store, onProblem, metrics), (each) => each.close());
  const lost = opened.keep(new LostSessions({ journal, store, hub, afterMs: options.lostAfterMs, onProblem }), (each) => each.close());
  const ledger = opened.keep(
    new CommandLedger({
      journal,
      store,
      hub,
      serverId,
      onRefusalLetGo: () => metrics.refusalLetGo(),
      onInCare: (sessionId) => lost.noteInCare(sessionId),
      producersOf: (sessionId) => lost.producersOf(sessionId),
      expiryMs: options.commandExpiryMs,
      onProblem,
    }),
    (each) => each.close(),
  );
  ledger.open();
  lost.open();
  const { retention: rules = {} } = options;
  const retention = new Retention({ journal, store, rules, ready: () => ledger.settled(), onWarning, onProblem });
  opened.keep(retention, (each) => each.close()).open();
  // The registry reads the skills in the background: only a request for skills waits for them.
  const skills = opened.keep(startSkillRegistry({ folders: options.skillFolders, onProblem: onWarning }), (each) => each.close());
  const intake = new EventIntake(journal, (elapsedMs) => metrics.published(elapsedMs));
  const parts: WorkspaceParts = {
    journal,
    store,
    hub,
    lost,
    ledger,
    intake,
    links: new DecisionLinks(journal.secret),
    asksEverybody: options.asksEverybody ?? false,
    childTokens: opened.keep(new ChildTokens(journal.secret, store), (each) => each.close()),
    skills,
    metrics,
    clients: { count: 0 },
    checks: new AccessChecks((denial) => options.onDenial?.(denial)),
    limits: new PrincipalLimits(),
  };
  opened.keep(measure(parts), (stop) => stop());
  if (options.traceExport !== undefined) await exportTraces(options.traceExport, options, parts, opened);
  // Before any part that may wait for a fold.
  opened.keep(store, (each) => each.stop());
  return parts;
}

async function exportTraces(
  traceExport: TraceExportOptions,
  { onProblem, onWarning }: WorkspaceOptions,
  { journal, metrics }: WorkspaceParts,
  opened: Opened,
): Promise<void> {
  const { TraceExport } = await import('../telemetry/trace-export.ts');
  const traces = opened.keep(new TraceExport({ journal, options: traceExport, onProblem, onWarning }), (each) => each.close());
  await traces.open();
  metrics.gauge('shannon_dash_spans_sent', 'Spans that the receiver of traces has taken', () => traces.sent);
  metrics.gauge('shannon_dash_sessions_to_trace', 'Sessions whose newest events are not sent as traces yet', () => traces.waiting);
}

/** Counts what happens in the journal, and adds the figures that are read when somebody asks for them. */
function measure({ journal, store, hub, ledger, metrics, clients }: WorkspaceParts): () => void {
  const vitals = oncePerTurn(() => journal.vitals());
  metrics.gauge('shannon_dash_connections', 'Connected Socket.IO clients', () => clients.count);
  metrics.gauge('shannon_dash_servers', 'Servers that share the journal', () => journal.servers().size);
  metrics.gauge('shannon_dash_sessions', 'Sessions in the journal', () => store.size);
  metrics.gauge('shannon_dash_journal_bytes', 'Size of the journal on disk', () => journal.sizeBytes());
  metrics.gauge(
    'shannon_dash_journal_waiting_bytes',
    'Characters in the log of the journal, to be moved to its database',
    () => vitals().waitingChars,
  );
  metrics.gauge('shannon_dash_journal_free_bytes', 'Free on the disk of the journal', () => vitals().freeBytes);
  metrics.gauge('shannon_dash_watchers', 'Subscriptions to sessions', () => hub.size);
  metrics.gauge('shannon_dash_commands_waiting', 'Requests that wait for the end of a command', () => ledger.waiting);
  metrics.gauge('shannon_dash_commands_due', 'Commands and decisions with a deadline to come', () => ledger.due);
  const stopWriteBack = journal.onWriteBack((elapsedMs) => metrics.wroteBack(elapsedMs));
  // Of what other servers commit the journal tells only that it is there: each commit counts at one of them.
  const stopCommits = journal.subscribe((changes) => {
    if (changes.every(({ kind }) => kind === 'behind')) return;
    const appended = changes.filter((change) => change.kind === 'appended');
    metrics.committed(appended.reduce((sum, { events }) => sum + events.length, 0));
    for (const { session_id, events } of appended) metrics.ended(events, store.get(session_id)?.state);
  });
  return () => {
    stopWriteBack();
    stopCommits();
  };
}
