import type { EventFilter } from '../../core/event-filter.ts';
import { parseCommand, type CommandRequest, type CommandResult, type CommandResults } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { AttachRequest, PublishedMessage } from '../../core/protocol/messages.ts';
import type { CommandState, DecisionState, SessionOrigin, SessionState } from '../../core/protocol/session-state.ts';
import type { JournalHealth } from '../../journal/journal.ts';
import { may, type Verb } from '../../core/access.ts';
import { accessLimits } from '../../core/protocol/limits.ts';
import { mayReach, mayReachAll, sessionNotFound, decisionNotFound } from '../access/policy.ts';
import type { Principal } from '../access/principal.ts';
import type { CommandUpdate } from '../commands/command-delivery.ts';
import type { Detachment } from '../commands/attachment/detachment.ts';
import type { Attached } from '../commands/attachment/attaching.ts';
import { hashOfLease } from '../commands/attachment/lease.ts';
import type { OrchestratorLink } from '../commands/attachment/orchestrators.ts';
import { liveSessions } from '../sessions/live-sessions.ts';
import { Producer } from '../sessions/producer.ts';
import type { StoredSession } from '../sessions/session-store.ts';
import { summaryOf, watchersBySession, type SessionSummary } from '../sessions/session-summary.ts';
import type { Scope } from '../sessions/watching/delivery.ts';
import type { Subscription, Watcher } from '../sessions/watching/watcher.ts';
import { usageOfSkills } from '../sessions/usage-of-skills.ts';
import type { ListedSkill, SkillFilter, SkillUsage } from '../skills/skill-list.ts';
import type { SkillProblem } from '../skills/skill-folder.ts';
import { claimOf, publishingAs } from './publishing.ts';
import type { AuditEntry } from '../../core/http-answers.ts';
import { findDecision } from './find-decision.ts';
import { auditOf, type AuditQuery } from './audit.ts';
import type { PublishOptions, SessionHistory, WatchOptions } from './workspace-requests.ts';
import type { WorkspaceParts } from './workspace-parts.ts';

/**
 * What one principal can do in a workspace: a method for each verb. Each asks the policy first, and loads nothing for a
 * principal that may not have it. `by` and `source` come from the principal, never from what a request says of itself.
 */
export class WorkspaceAccess implements Record<Exclude<Verb, 'mintLink'>, unknown> {
  readonly #parts: WorkspaceParts;
  readonly #principal: Principal;

  constructor(parts: WorkspaceParts, principal: Principal) {
    this.#parts = parts;
    this.#principal = principal;
  }

  /** Counts a client that has joined. @returns what takes it away again */
  enter(): () => void {
    const { clients } = this.#parts;
    clients.count++;
    return () => void clients.count--;
  }

  /** The epoch of the sessions that are created now. */
  get epoch(): string {
    return this.#parts.journal.epoch;
  }

  health(): { journal: JournalHealth; active_sessions: number; connected_clients: number; uptime_seconds: number } {
    this.#check('health');
    const { journal, store, metrics, clients } = this.#parts;
    const active = liveSessions(store, (sessionId) => this.#reaches(sessionId));
    return {
      journal: journal.health(),
      active_sessions: active.length,
      connected_clients: clients.count,
      uptime_seconds: metrics.uptimeSeconds,
    };
  }

  /** Every session that the principal may reach, in the order of their creation. `close` is to be called once they are sent. */
  async sessions(): Promise<{ sessions: SessionSummary[]; close: () => void }> {
    this.#check('sessions');
    const reached = await this.#reached();
    const close = this.#parts.limits.begin(this.#principal, reached.length > accessLimits.cheapRows);
    return { sessions: reached.map((session) => summaryOf(session, this.#parts)), close };
  }

  /** The fold now, or at an earlier event. @throws ShannonDashError NOT_FOUND */
  async state(sessionId: string, at?: number): Promise<SessionState & { epoch: string }> {
    this.#check('state', sessionId);
    const { store, ledger } = this.#parts;
    await ledger.ready(sessionId);
    const end = this.#parts.limits.begin(this.#principal, at !== undefined);
    const state = await (at === undefined ? store.load(sessionId) : store.at(sessionId, at)).finally(end);
    const epoch = store.get(sessionId)?.head.epoch;
    if (state === undefined || epoch === undefined) throw sessionNotFound(sessionId);
    return { ...state, epoch };
  }

  /** @param limit how many events are read at most @throws ShannonDashError NOT_FOUND */
  history(sessionId: string, limit: number): SessionHistory {
    this.#check('history', sessionId);
    const { store, journal } = this.#parts;
    const session = store.get(sessionId);
    if (session === undefined) throw sessionNotFound(sessionId);
    const { epoch, seq } = session.head;
    const close = this.#parts.limits.begin(this.#principal, Math.min(limit, seq) > accessLimits.cheapRows);
    return { epoch, seq, read: (range) => journal.read(sessionId, range), close };
  }

  /** @throws ShannonDashError what `watch` refuses */
  checkWatch(sessionId: string): void {
    this.#check('watch', sessionId);
  }

  /** Subscribes to one session, which need not exist yet. */
  async watch(sessionId: string, watcher: Watcher, { after, ...options }: WatchOptions): Promise<Subscription> {
    this.#check('watch', sessionId);
    const { hub, store, ledger } = this.#parts;
    await ledger.ready(sessionId);
    const cursor = after && { seq: after.seq, epoch: after.epoch ?? store.get(sessionId)?.head.epoch ?? this.epoch };
    return hub.subscribe(sessionId, watcher, { ...options, after: cursor });
  }

  /** Resolves once the state of every session is known, some time after the server has started. To be awaited before `watchAll`. */
  ready(): Promise<void> {
    return this.#parts.ledger.ready();
  }

  /** Which sessions a subscription to all of them covers; undefined for every session. */
  get scope(): Scope | undefined {
    const { sessions } = this.#principal;
    return mayReachAll(this.#principal) ? undefined : { globs: sessions, reaches: (sessionId) => this.#reaches(sessionId) };
  }

  /** Subscribes to every session that the principal may reach. The shape of the watcher must be that of `scope`. */
  watchAll(watcher: Watcher, filter: EventFilter): Subscription {
    this.#check('watchAll');
    return this.#parts.hub.subscribeAll(watcher, filter, this.scope?.reaches);
  }

  /** @throws ShannonDashError CONFLICT the session exists */
  async create(origin: Omit<SessionOrigin, 'created_at'>): Promise<SessionState & { epoch: string }> {
    this.#check('create', origin.session_id);
    const { journal, store } = this.#parts;
    const { session_id, epoch } = await journal.create({ ...origin, created_at: new Date().toISOString() });
    const state = await store.load(session_id);
    if (state === undefined) throw sessionNotFound(session_id);
    return { ...state, epoch };
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

  /** The same for `cli_event`, the older channel. */
  publishCliEvent(input: unknown, options: PublishOptions): Promise<{ success: true }> {
    return this.#parts.intake.publishCliEvent(input, publishingAs(this.#principal, this.#parts, options));
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

  /** The commands of a session, newest last. @throws ShannonDashError NOT_FOUND */
  async ledger(
    sessionId: string,
    filter: { status?: string | undefined; limit: number },
  ): Promise<{ commands: CommandState[]; total: number }> {
    this.#check('ledger', sessionId);
    if (this.#parts.store.get(sessionId) === undefined) throw sessionNotFound(sessionId);
    return this.#parts.ledger.history(sessionId, filter);
  }

  /** Makes a link the orchestrator of a session. */
  async attach(link: OrchestratorLink, request: AttachRequest): Promise<Attached & { child_token?: string }> {
    this.#check('attach', request.session_id);
    this.#parts.lost.noteHeardHere(request.session_id);
    const attached = await this.#parts.ledger.attach(link, request, claimOf(this.#principal, request.lease));
    const { tenant, token } = this.#principal;
    const isNeeded = token !== undefined || this.#parts.asksEverybody;
    if (request.child_token !== true || request.under !== undefined || !isNeeded) return attached;
    const lease = { tenant, sessionId: request.session_id, sha256: hashOfLease(attached.lease) };
    return { ...attached, child_token: this.#parts.childTokens.mint(lease) };
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
    const { decision, key } = await findDecision(this.#parts, sessionId, decisionId);
    const { role, tenant } = this.#principal;
    if (decision.status !== 'open' || !may(role, 'mintLink')) return decision;
    return { ...decision, answer_path: `${this.#parts.links.path(key)}${tenant === undefined ? '' : `?tenant=${tenant}`}` };
  }

  /** Answers a decision by its link. @throws ShannonDashError NOT_FOUND the token does not belong to this decision */
  async answerLink(
    link: { sessionId: string; decisionId: string; token: string },
    answer: () => { choice: string; comment?: string | undefined },
  ): Promise<CommandResult | CommandResults> {
    const { sessionId, decisionId, token } = link;
    this.#check('answerLink', sessionId);
    const { key } = await findDecision(this.#parts, sessionId, decisionId);
    if (!this.#parts.links.isValid(key, token)) throw decisionNotFound(decisionId);
    const command = parseCommand({ ...answer(), type: 'DECISION', decision_id: decisionId });
    return this.#submit({ ...command, session_id: sessionId });
  }

  /** The skills that pass the filter, and what is wrong with the files of skills. */
  async skills(filter: SkillFilter): Promise<{ skills: ListedSkill[]; problems: readonly SkillProblem[] }> {
    this.#check('skills');
    return { skills: this.#parts.skills.list(filter, await this.#skillUsage()), problems: this.#parts.skills.problems };
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
    const { store, hub, metrics, ledger, journal, clients } = this.#parts;
    return {
      total_connections: clients.count,
      sessions: watchersBySession(store, hub),
      uptime_seconds: metrics.uptimeSeconds,
      events_total: metrics.eventsTotal,
      events_per_second: metrics.eventsPerSecond,
      publish: metrics.latency(),
      orchestrators: ledger.orchestrators,
      journal: { location: journal.location, size_bytes: journal.sizeBytes() },
    };
  }

  /** The figures as Prometheus reads them. */
  async metrics(): Promise<{ contentType: string; text: string }> {
    this.#parts.checks.checkOfAll(this.#principal, 'metrics');
    const { registry } = this.#parts.metrics;
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  /** The newest commands of the sessions that the principal may reach. @throws ShannonDashError INVALID */
  async audit(query: AuditQuery): Promise<{ commands: AuditEntry[]; next: string | null }> {
    this.#check('audit');
    const { ledger, limits } = this.#parts;
    const sessions = await this.#reached();
    const end = limits.begin(this.#principal, sessions.length > accessLimits.cheapRows);
    return auditOf(sessions, query, (sessionId) => ledger.commandsOf(sessionId)).finally(end);
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

  /** The usage of a skill is summed over the sessions that the principal may reach. */
  async #skillUsage(): Promise<ReadonlyMap<string, SkillUsage>> {
    const { skills, ledger } = this.#parts;
    await Promise.all([skills.ready, ledger.ready()]);
    return usageOfSkills(this.#parts.store, (sessionId) => this.#reaches(sessionId));
  }

  #submit(request: CommandRequest, subscribed?: string): Promise<CommandResult | CommandResults> {
    return this.#parts.ledger.submit(request, {
      by: this.#principal.by,
      subscribed,
      mayReach: (sessionId) => this.#reaches(sessionId),
    });
  }
}
