import type { Socket } from 'socket.io';
import { commandUpdate, type CommandExecution } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { attachRequest } from '../../core/protocol/messages.ts';
import { parse } from '../../core/json/parse.ts';
import { timestampNow } from '../../core/timestamp.ts';
import type { OrchestratorLink } from '../commands/attachment/orchestrators.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import { detachmentOf } from './socket-detachment.ts';

/** How long an orchestrator's process has to acknowledge a command before it counts as not delivered. */
const deliveryTimeoutMs = 30_000;

export interface SocketOrchestratorParts {
  access: WorkspaceAccess;
  /** Whether the client hears of a session by a subscription too. */
  isWatching: (sessionId: string) => boolean;
  onProblem: (error: unknown) => void;
}

/** A Socket.IO client as an orchestrator: the sessions that it is attached to, and the commands on their way to it. */
export class SocketOrchestrator implements OrchestratorLink {
  readonly #socket: Socket;
  readonly #parts: SocketOrchestratorParts;
  readonly #sessions = new Set<string>();
  /** Sessions that another orchestrator has taken from this one. */
  readonly #superseded = new Set<string>();
  /** Ends the wait for the acknowledgement of a command. */
  readonly #deliveries = new Set<() => void>();

  constructor(socket: Socket, parts: SocketOrchestratorParts) {
    this.#socket = socket;
    this.#parts = parts;
  }

  /** @throws ShannonDashError INVALID, and what the ledger refuses */
  async attach(payload: unknown): Promise<unknown> {
    const request = parse(attachRequest, payload);
    const { session_id } = request;
    this.#superseded.delete(session_id);
    this.#sessions.add(session_id);
    try {
      const attached = await this.#parts.access.attach(this, request);
      // The connection may have ended meanwhile; then `close` did not know of this session yet.
      this.#sessions.add(session_id);
      this.#superseded.delete(session_id);
      return { success: true, ...attached };
    } catch (error) {
      this.#sessions.delete(session_id);
      if (error instanceof ShannonDashError && error.code === 'SUPERSEDED') this.#superseded.add(session_id);
      throw error;
    } finally {
      if (!this.#socket.connected) this.close('client namespace disconnect');
    }
  }

  /** Takes how a command ended. @throws ShannonDashError INVALID, FORBIDDEN, SUPERSEDED, NOT_FOUND, CONFLICT */
  async update(payload: unknown): Promise<{ success: true }> {
    const { session_id, ...update } = parse(commandUpdate, payload);
    const [only] = this.#sessions;
    const sessionId = session_id ?? (this.#sessions.size === 1 ? only : undefined);
    if (sessionId === undefined) {
      if (this.#superseded.size > 0) throw new ShannonDashError('SUPERSEDED', 'Another orchestrator has taken over');
      throw new ShannonDashError('FORBIDDEN', 'Only an orchestrator can say how a command ended: attach first');
    }
    this.checkPublishing(sessionId);
    await this.#parts.access.update(this, sessionId, update);
    return { success: true };
  }

  /** @throws ShannonDashError SUPERSEDED another orchestrator has taken the session: this client may not publish to it any more */
  checkPublishing(sessionId: string): void {
    if (this.#superseded.has(sessionId)) throw new ShannonDashError('SUPERSEDED', `Another orchestrator has taken over ${sessionId}`);
  }

  execute(command: CommandExecution): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = () => settle(() => reject(new ShannonDashError('TIMEOUT', 'The orchestrator did not acknowledge the command')));
      const settle = (end: () => void) => {
        clearTimeout(timer);
        this.#deliveries.delete(fail);
        end();
      };
      const timer = setTimeout(fail, deliveryTimeoutMs);
      timer.unref();
      this.#deliveries.add(fail);
      this.#socket.emit('command:execute', command, () => settle(resolve));
    });
  }

  supersede(sessionId: string, by: string): void {
    this.#sessions.delete(sessionId);
    this.#superseded.add(sessionId);
    this.#socket.emit('orchestrator:superseded', { session_id: sessionId, instance_id: by, timestamp: timestampNow() });
  }

  forget(sessionId: string): void {
    // A client that watches the session gets this message as a watcher.
    if (this.#parts.isWatching(sessionId)) return;
    this.#socket.emit('session:deleted', { session_id: sessionId, timestamp: timestampNow() });
  }

  /** The connection has ended. @param disconnect Socket.IO's word for it */
  close(disconnect: string): void {
    const detachment = detachmentOf(disconnect);
    for (const sessionId of this.#sessions) this.#parts.access.detach(sessionId, this, detachment).catch(this.#parts.onProblem);
    this.#sessions.clear();
    for (const fail of this.#deliveries) fail();
  }
}
