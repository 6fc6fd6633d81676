import { ShannonDashError } from '../../core/protocol/errors.ts';
import { isEnded } from '../../core/protocol/session-state.ts';
import type { Journal } from '../../journal/journal.ts';
import { brief } from '../sessions/session-store.ts';
import { nextTurn } from '../turns.ts';
import type { CommandDue } from './command-due.ts';
import type { LedgerParts } from './ledger-parts.ts';

/** How often this server looks whether another one is gone. */
const lookMs = 1_000;

export interface TakeUpParts extends LedgerParts {
  journal: Journal;
  due: CommandDue;
}

/**
 * Takes up what other servers left: attachments whose server is gone, commands and decisions with a deadline. The sessions
 * of the journal are taken up one after the other while the server serves already; one that is asked for comes first.
 */
export class TakeUp {
  readonly #parts: TakeUpParts;
  readonly #waiting = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  #all: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #servers = 0;

  constructor(parts: TakeUpParts) {
    this.#parts = parts;
  }

  open(): void {
    for (const { head } of this.#parts.store.all()) this.#waiting.add(head.session_id);
    this.#all = this.#takeUpAll();
    this.#servers = this.#parts.journal.servers().size;
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  /** Resolves once a session is taken up: before that, its state may name an orchestrator that is gone. */
  async session(sessionId: string): Promise<void> {
    if (this.#waiting.delete(sessionId)) this.#underWay.set(sessionId, this.#takeUp(sessionId));
    await this.#underWay.get(sessionId);
  }

  /** Resolves once every session is taken up. */
  all(): Promise<void> {
    return this.#all;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#waiting.clear();
    await Promise.all(this.#underWay.values());
  }

  async #takeUpAll(): Promise<void> {
    for (const sessionId of this.#waiting) {
      await this.session(sessionId);
      await nextTurn();
    }
  }

  /** A session that cannot be read, or written to, does not stop the others from being taken up. */
  async #takeUp(sessionId: string): Promise<void> {
    const { store, writer, due, deadlines } = this.#parts;
    try {
      const state = await writer.state(sessionId);
      // It takes nothing, and nothing of it is due.
      if (state.imported !== null) return;
      const isOver = isEnded(state.status);
      if (isOver) await due.failUnfinished(sessionId);
      deadlines.takeUp(sessionId, isOver ? [] : state.commands, state.decisions);
    } catch (error) {
      // The session may have been deleted meanwhile; and a server that stops gives up what takes long.
      const isExpected = store.isStopping || (error instanceof ShannonDashError && error.code === 'NOT_FOUND');
      if (!isExpected) this.#parts.onProblem(error);
    } finally {
      this.#underWay.delete(sessionId);
    }
  }

  /** Ends the attachments that another server held which is gone. */
  #look(): void {
    const { journal, store, writer, onProblem } = this.#parts;
    const servers = journal.servers();
    const before = this.#servers;
    this.#servers = servers.size;
    if (servers.size >= before) return;
    for (const session of store.all()) {
      const { orchestrator } = brief(session);
      const server = orchestrator?.attached === true ? orchestrator.lease.server : undefined;
      if (server != null && !servers.has(server)) writer.state(session.head.session_id).catch(onProblem);
    }
  }
}
