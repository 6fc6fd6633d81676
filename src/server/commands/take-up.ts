import { ShannonDashError } from '../../core/protocol/errors.ts';
import { isEnded } from '../../core/protocol/session-state.ts';
import type { Journal } from '../../journal/journal.ts';
import { brief } from '../sessions/stored-session.ts';
import type { HubChange } from '../sessions/watching/changes.ts';
import type { Hub } from '../sessions/watching/hub.ts';
import { nextTurn } from '../turns.ts';
import type { CommandDue } from './command-due.ts';
import type { LedgerParts } from './ledger-parts.ts';

/** How often this server looks whether another one is gone. */
const lookMs = 1_000;

export interface TakeUpParts extends LedgerParts {
  journal: Journal;
  hub: Hub;
  due: CommandDue;
  /** A session has fallen to this server. */
  onInCare: (sessionId: string) => void;
}

/**
 * Takes up what other servers left: attachments whose server is gone, commands and decisions with a deadline. What of a session is due
 * is done by the server that has written to it last; when that one is gone, by the one to which it falls. The sessions that fall to this
 * server are taken up one after the other while it serves already; one that is asked for comes first; and one that it writes to too.
 */
export class TakeUp {
  readonly #parts: TakeUpParts;
  /** Those that are not taken up. */
  readonly #left = new Set<string>();
  /** Those of them that are to be taken up without being asked for. */
  readonly #waiting = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  #working: Promise<void> | undefined;
  #takingOver: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #servers = '';
  #isClosed = false;

  constructor(parts: TakeUpParts) {
    this.#parts = parts;
    parts.hub.onChange((change) => this.#follow(change));
  }

  open(): void {
    for (const { head } of this.#parts.store.all()) this.#left.add(head.session_id);
    this.#look();
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  /** Resolves once a session is taken up: before that, its state may name an orchestrator that is gone. */
  async session(sessionId: string): Promise<void> {
    const { store, onProblem } = this.#parts;
    // Once it is caught up, it is to be taken up.
    if (store.get(sessionId)?.isBehind === true) await store.load(sessionId).catch(onProblem);
    this.#waiting.delete(sessionId);
    if (this.#left.delete(sessionId)) this.#underWay.set(sessionId, this.#takeUp(sessionId));
    await this.#underWay.get(sessionId);
  }

  /** Resolves once every session is taken up. */
  async all(): Promise<void> {
    await this.#parts.hub.catchUp();
    for (const sessionId of this.#left) this.#waiting.add(sessionId);
    await this.#work();
  }

  /** Resolves once those are taken up that have fallen to this server. */
  async inCare(): Promise<void> {
    await this.#takingOver;
    await this.#working;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#left.clear();
    this.#waiting.clear();
    await Promise.all(this.#underWay.values());
  }

  #follow(change: HubChange): void {
    if (change.kind === 'deleted') this.#left.delete(change.session_id);
    if (change.kind === 'caughtUp') this.#left.add(change.session_id);
    if ((change.kind === 'appended' || change.kind === 'caughtUp') && this.#left.has(change.session_id)) this.#want(change.session_id);
  }

  #want(sessionId: string): void {
    if (this.#isClosed) return;
    this.#waiting.add(sessionId);
    this.#work().catch(this.#parts.onProblem);
  }

  #work(): Promise<void> {
    return (this.#working ??= this.#takeUpWaiting());
  }

  async #takeUpWaiting(): Promise<void> {
    do {
      for (const sessionId of this.#waiting) {
        await this.session(sessionId);
        await nextTurn();
      }
      await Promise.all(this.#underWay.values());
    } while (this.#waiting.size > 0);
    this.#working = undefined;
  }

  /** A session that cannot be read, or written to, does not stop the others from being taken up. */
  async #takeUp(sessionId: string): Promise<void> {
    const { writer, due, deadlines } = this.#parts;
    try {
      const state = await writer.state(sessionId);
      // It takes nothing, and nothing of it is due.
      if (state.imported !== null) return;
      const isOver = isEnded(state.status);
      if (isOver) await due.failUnfinished(sessionId);
      deadlines.takeUp(sessionId, isOver ? [] : state.commands, state.decisions);
    } catch (error) {
      // The session may have been deleted meanwhile.
      if (!(error instanceof ShannonDashError) || error.code !== 'NOT_FOUND') this.#parts.onProblem(error);
    } finally {
      this.#underWay.delete(sessionId);
    }
  }

  /** Where a server has come or gone, takes up what falls to this one. */
  #look(): void {
    const { journal, onProblem } = this.#parts;
    const servers = [...journal.servers()].toSorted().join('\n');
    if (servers === this.#servers) return;
    const before = this.#servers;
    this.#servers = servers;
    this.#takingOver = this.#takeOver(journal.servers()).catch((error: unknown) => {
      this.#servers = before;
      onProblem(error);
    });
  }

  async #takeOver(servers: ReadonlySet<string>): Promise<void> {
    const { journal, store, writer, serverId, onInCare, onProblem } = this.#parts;
    for (const session of store.all()) {
      const { orchestrator } = brief(session);
      const server = orchestrator?.attached === true ? orchestrator.lease.server : undefined;
      if (server != null && !servers.has(server)) writer.state(session.head.session_id).catch(onProblem);
    }
    const inCare = (await journal.inCareOf?.(serverId)) ?? [...store.all()].map(({ head }) => head.session_id);
    for (const sessionId of inCare) {
      onInCare(sessionId);
      if (this.#left.has(sessionId) || store.get(sessionId)?.isBehind === true) this.#waiting.add(sessionId);
    }
    await this.#work();
  }
}
