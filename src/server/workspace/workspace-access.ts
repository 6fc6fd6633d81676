import type { EventFilter } from '../../core/event-filter.ts';
import type { CancelRequest, CommandRequest, CommandResult, CommandResults, ResendRequest } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { AttachRequest, PublishedMessage } from '../../core/protocol/messages.ts';
import type { CommandState, DecisionState, SessionOrigin, SessionState } from '../../core/protocol/session-state.ts';
import type { QueryOf } from '../../core/http-api.ts';
import type { Verb } from '../../core/access.ts';
import { accessLimits } from '../../core/protocol/limits.ts';
import { mayReach, mayReachAll, sessionNotFound } from '../access/policy.ts';
import type { Principal } from '../access/principal.ts';
import type { Canceller } from '../commands/command-recall.ts';
import type { CommandUpdate } from '../commands/command-delivery.ts';
import type { Detachment } from '../commands/attachment/detachment.ts';
import type { Attached } from '../commands/attachment/attaching.ts';
import type { OrchestratorLink } from '../commands/attachment/orchestrators.ts';
import { Producer } from '../sessions/producer.ts';
import { isOfItsOwn, rolledUp, type StoredSession } from '../sessions/stored-session.ts';
import { summaryOf, type SessionSummary } from '../sessions/session-summary.ts';
import type { Scope } from '../sessions/watching/delivery.ts';
import type { Subscription, Watcher } from '../sessions/watching/watcher.ts';
import type { ListedSkill, SkillFilter } from '../skills/skill-list.ts';
import type { SkillProblem } from '../skills/skill-folder.ts';
import { cancelAs, linkedAnswer, resendAs, type AnswerLink, type LinkedAnswer } from './command-calls.ts';
import { withChildToken } from './child-token.ts';
import { claimOf, publishingAs } from './publishing.ts';
import { figuresOf, healthOf, skillUsageOf, metricsOf, type Health } from './figures.ts';
import { publishUsage, type RefusedReports } from './usage-reports.ts';
import type { Analytics, AnalyticsQuery } from '../../core/rollup/analytics-api.ts';
import { analyticsOf } from '../analytics/analytics.ts';
import type { AuditEntry } from '../../core/http-answers.ts';
import { backupOf, historyOf, stateOf } from './session-history.ts';
import { importRecordings, type Imported, type ImportOptions } from './importing.ts';
import { findDecision, withLink } from './find-decision.ts';
import type { ToldUsage } from '../../adapters/otel/told-usage.ts';
import { auditOf, type AuditQuery } from './audit.ts';
import { type PublishOptions, type SessionHistory, type StateAnswer, type WatchOptions } from './workspace-requests.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

/**
 * What one principal can do in a workspace: a method for each verb. Each asks the policy first, and loads nothing for a
 * principal that may not have it. `by` and `source` come from the principal, never from what a request says of itself.
 */
export class WorkspaceAccess implements Record<Exclude<Verb, 'mintLink' | 'share'>, unknown> {
  /** The epoch of the sessions that are created now. */
  readonly epoch: string;
  readonly #parts: WorkspaceParts;
  readonly #principal: Principal;
  readonly #sender: Canceller;
  readonly #skillUsage = () => skillUsageOf(this.#parts, (sessionId) => this.#reaches(sessionId));

  /** @param address from where the principal calls: it stands in the ledger beside what it commands */
  constructor(parts: WorkspaceParts, principal: Principal, address?: string) {
    this.epoch = parts.journal.epoch;
    this.#parts = parts;
    this.#principal = principal;
    this.#sender = { by: principal.by, from: address === undefined ? undefined : { role: principal.role, address } };
  }

  /** Counts a client that has joined. @returns what takes it away again */
  enter(): () => void {
    this.#parts.clients.count++;
    return () => void this.#parts.clients.count--;
  }

  /** Whether what is published can be journalled now. */
  isReady(): boolean {
    this.#check('health');
    return this.#parts.journal.health().isWritable;
  }

  health(): Health {
    this.#check('health');
    return healthOf(this.#parts, (sessionId) => this.#reaches(sessionId));
  }

  /** Every session that the principal may reach and whose name begins so, in the order of their creation. `close` is to be called once they are sent. */
  async sessions(prefix = ''): Promise<{ sessions: SessionSummary[]; close: () => void }> {
    this.#check('sessions');
    const reached = (await this.#reached()).filter(({ head }) => head.session_id.startsWith(prefix));
    const close = this.#parts.limits.begin(this.#principal, reached.length > accessLimits.cheapRows);
    return { sessions: reached.map((session) => summaryOf(session, this.#parts)), close };
  }

  /** The fold now, or at an earlier event. @throws ShannonDashError NOT_FOUND */
  async state(sessionId: string, at?: number): Promise<StateAnswer> {
    this.#check('state', sessionId);
    return stateOf(this.#parts, this.#principal, sessionId, at);
  }

  /** @param limit how many events are read at most @throws ShannonDashError NOT_FOUND */
  history(sessionId: string, limit: number): SessionHistory {
    this.#check('history', sessionId);
    return historyOf(this.#parts, this.#principal, sessionId, limit);
  }

  /** @throws ShannonDashError the principal may not watch the session, or make links to it */
  checkAccess(verb: 'watch' | 'share', sessionId: string): void {
    this.#check(verb, sessionId);
  }

  /** Subscribes to one session, which need not exist yet. */
  async watch(sessionId: string, watcher: Watcher, { after, ...options }: WatchOptions): Promise<Subscription> {
    this.#check('watch', sessionId);
    const { hub, store, ledger } = this.#parts;
    await ledger.ready(sessionId);
    const cursor = after && { seq: after.seq, epoch: after.epoch ?? store.get(sessionId)?.head.epoch ?? this.epoch };
    return hub.subscribe(sessionId, watcher, { ...options, after: cursor });
  }

  /** Resolves once the state of a session is known, or of every session. To be awaited before `history`, and before `watchAll`. */
  ready(sessionId?: string): Promise<void> {
    if (sessionId !== undefined) this.#check('history', sessionId);
    return this.#parts.ledger.ready(sessionId);
  }

  /** Which sessions a subscription to all of them covers; undefined for every session. */
  get scope(): Scope | undefined {
    return mayReachAll(this.#principal) ? undefined : { globs: this.#principal.sessions, reaches: (sessionId) => this.#reaches(sessionId) };
  }

  /** Subscribes to every session that the principal may reach. The shape of the watcher must be that of `scope`. */
  watchAll(watcher: Watcher, filter: EventFilter): Subscription {
    this.#check('watchAll');
    return this.#parts.hub.subscribeAll(watcher, filter, this.scope?.reaches);
  }

  /** @throws ShannonDashError CONFLICT the session exists */
  async create(origin: Omit<SessionOrigin, 'created_at'>): Promise<SessionState & { epoch: string }> {
    this.#check('create', origin.session_id);
    const { session_id, epoch } = await this.#parts.journal.create({ ...origin, created_at: new Date().toISOString() });
    const state = await this.#parts.store.load(session_id);
    if (state === undefined) throw sessionNotFound(session_id);
    return { ...state, epoch };
  }

  /** Gives what brings recorded sessions here, which then stay as they are. */
  import(): (bytes: AsyncIterable<Uint8Array>, options: ImportOptions) => Promise<Imported> {
    this.#check('import');
    return (bytes, options) => importRecordings(this.#parts, this.#principal, bytes, options);
  }

  /** Deletes a session with its history. @throws ShannonDashError NOT_FOUND */
  async delete(sessionId: string): Promise<void> {
    this.#check('delete', sessionId);
    if (!(await this.#parts.journal.delete(sessionId))) throw sessionNotFound(sessionId);
  }

  /** Publishes events. A wrong input is thrown at once; the promise is for events that wait for their commit. */
  publish(input: unknown, options: PublishOptions): Promise<PublishedMessage> {
    return this.#parts.intake.publish(input, publishingAs(this.#principal, this.#parts, options));
  }

  /** @throws ShannonDashError what `publish` refuses */
  async checkPublish(sessionId: string): Promise<void> {
    await publishingAs(this.#principal, this.#parts, { wantsAnswer: false }).mayPublish(sessionId);
  }

  /** The same for `cli_event`, the older channel. */
  publishCliEvent(input: unknown, options: PublishOptions): Promise<{ success: true }> {
    return this.#parts.intake.publishCliEvent(input, publishingAs(this.#principal, this.#parts, options));
  }

  /** Publishes what telemetry says of the usage of sessions. @returns what was not taken @throws ShannonDashError what can be tried again */
  reportUsage(usage: readonly ToldUsage[]): Promise<RefusedReports | undefined> {
    return publishUsage(this.#parts.store, usage, (request) => this.publish(request, { wantsAnswer: true }));
  }

  /** Stands for a connection that publishes. As long as it is open, the sessions that it publishes to are not lost. */
  producer(): Producer {
    this.#check('publish');
    return new Producer(this.#parts.lost);
  }

  /**
   * Takes a command and waits for its end, at most `timeout_ms`.
   * @param subscribed the session that the sender is subscribed to, if it is just one
   */
  async command(request: CommandRequest, subscribed?: string): Promise<CommandResult | CommandResults> {
    this.#parts.checks.checkCommand(this.#principal, request.type, request.session_id);
    await this.#parts.limits.command(this.#principal);
    return this.#submit(request, subscribed);
  }

  /** Sends a command again that ended without being applied. @throws ShannonDashError NOT_FOUND, CONFLICT, GONE */
  async resend(request: ResendRequest): Promise<CommandResult> {
    this.#check('resend', request.session_id);
    return resendAs(this.#parts, this.#principal, this.#sender, request);
  }

  /** Takes a command back that no orchestrator can have. @throws ShannonDashError NOT_FOUND, CONFLICT */
  async cancel(request: CancelRequest): Promise<CommandState> {
    this.#check('cancel', request.session_id);
    return cancelAs(this.#parts, this.#principal, this.#sender, request);
  }

  /** The commands of a session, newest last. @throws ShannonDashError NOT_FOUND */
  async ledger(sessionId: string, filter: QueryOf<'commands'>): Promise<{ commands: CommandState[]; total: number }> {
    this.#check('ledger', sessionId);
    if (this.#parts.store.get(sessionId) === undefined) throw sessionNotFound(sessionId);
    return this.#parts.ledger.history(sessionId, filter);
  }

  /** Makes a link the orchestrator of a session. */
  async attach(link: OrchestratorLink, request: AttachRequest): Promise<Attached & { child_token?: string }> {
    this.#check('attach', request.session_id);
    this.#parts.lost.noteHeardHere(request.session_id);
    const attached = await this.#parts.ledger.attach(link, request, claimOf(this.#principal, request.lease));
    return withChildToken(this.#parts, this.#principal, request, attached);
  }

  /** Takes a link away whose connection has ended. */
  detach(sessionId: string, link: OrchestratorLink, detachment: Detachment): Promise<void> {
    return this.#parts.ledger.detach(sessionId, link, detachment);
  }

  /** Takes from an orchestrator how a command ended. */
  async update(link: OrchestratorLink, sessionId: string, update: CommandUpdate): Promise<void> {
    this.#check('update', sessionId);
    await this.#parts.ledger.update(link, sessionId, update);
  }

  /** A decision, and the path to answer it as long as it is open. @throws ShannonDashError NOT_FOUND */
  async decision(sessionId: string, decisionId: string): Promise<DecisionState & { answer_path?: string }> {
    this.#check('decision', sessionId);
    return withLink(this.#parts, this.#principal, await findDecision(this.#parts, sessionId, decisionId));
  }

  /** Answers a decision by its link. @throws ShannonDashError NOT_FOUND the token does not belong to this decision */
  async answerLink(link: AnswerLink, answer: () => LinkedAnswer): Promise<CommandResult | CommandResults> {
    this.#check('answerLink', link.sessionId);
    return this.#submit(await linkedAnswer(this.#parts, link, answer));
  }

  /** The skills that pass the filter, and what is wrong with the files of skills. */
  async skills(filter: SkillFilter): Promise<{ skills: ListedSkill[]; problems: readonly SkillProblem[] }> {
    this.#check('skills');
    const { skills } = this.#parts;
    return { skills: skills.list(filter, await this.#skillUsage()), problems: skills.problems };
  }

  /** @throws ShannonDashError NOT_FOUND */
  async skill(name: string): Promise<ListedSkill> {
    this.#check('skills');
    const skill = this.#parts.skills.get(name, await this.#skillUsage());
    if (skill === undefined) throw new ShannonDashError('NOT_FOUND', `Skill not found: ${name}`);
    return skill;
  }

  stats() {
    this.#parts.checks.checkOfAll(this.#principal, 'stats');
    return figuresOf(this.#parts);
  }

  async metrics(): Promise<{ contentType: string; text: string }> {
    this.#parts.checks.checkOfAll(this.#principal, 'metrics');
    return metricsOf(this.#parts);
  }

  /** Copies every session to a file beside the journal, which the caller deletes. `close` is to be called once it is sent. */
  async backup(): Promise<{ path: string; close: () => void }> {
    this.#parts.checks.checkOfAll(this.#principal, 'backup');
    return backupOf(this.#parts, this.#principal);
  }

  /** The newest commands of the sessions that the principal may reach, but for what recordings say. @throws ShannonDashError INVALID */
  audit(query: AuditQuery): Promise<{ commands: AuditEntry[]; next: string | null }> {
    return this.#ofReached('audit', (sessions) => auditOf(sessions, query, (sessionId) => this.#parts.ledger.commandsOf(sessionId)));
  }

  /** What the sessions that the principal may reach add up to. */
  analytics(query: AnalyticsQuery): Promise<Analytics> {
    return this.#ofReached('analytics', (sessions) => analyticsOf(sessions.filter(isOfItsOwn).map(rolledUp), query));
  }

  /** Reads something of every session that the principal may reach. */
  async #ofReached<Result>(verb: Verb, read: (sessions: StoredSession[]) => Promise<Result>): Promise<Result> {
    this.#check(verb);
    const sessions = await this.#reached();
    const end = this.#parts.limits.begin(this.#principal, sessions.length > accessLimits.cheapRows);
    return read(sessions).finally(end);
  }

  #check(verb: Verb, sessionId?: string): void {
    this.#parts.checks.check(this.#principal, verb, sessionId);
  }

  async #reached(): Promise<StoredSession[]> {
    await this.#parts.ledger.ready();
    return [...this.#parts.store.all()].filter(({ head }) => this.#reaches(head.session_id));
  }

  #reaches(sessionId: string): boolean {
    return mayReach(this.#principal, sessionId);
  }

  #submit(request: CommandRequest, subscribed?: string): Promise<CommandResult | CommandResults> {
    return this.#parts.ledger.submit(request, { ...this.#sender, subscribed, mayReach: (sessionId) => this.#reaches(sessionId) });
  }
}
