import type { FastifyReply } from 'fastify';
import { Backlog, type CutReason } from '../sessions/backlog.ts';
import type { BudgetShare, ReadBudget } from '../sessions/read-budget.ts';
import { tcpProgress } from '../tuning/tcp-progress.ts';
import type { Tuning } from '../tuning/tuning.ts';

export interface PacedResponseOptions {
  headers: Record<string, string>;
  budget: ReadBudget;
  tuning: Tuning;
  /** The client was cut because it does not read. */
  onCut: (reason: CutReason) => void;
}

/** An answer that is written piece by piece, at the pace of its reader. */
export class PacedResponse {
  readonly #response: FastifyReply['raw'];
  readonly #budget: ReadBudget;
  readonly #backlog: Backlog;
  #liveBytes = 0;

  /** Takes the answer over from Fastify, and writes its head. */
  constructor(reply: FastifyReply, { headers, budget, tuning, onCut }: PacedResponseOptions) {
    reply.hijack();
    const response = reply.raw;
    this.#response = response;
    this.#budget = budget;
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) response.setHeader(name, value);
    response.writeHead(200, headers);
    response.flushHeaders();
    const { socket } = response;
    this.#backlog = new Backlog({
      budget,
      progress: () => tcpProgress(socket, tuning),
      connection: () => socket ?? undefined,
      drop: () => response.destroy(),
      onCut,
    });
    this.onClose(() => {
      this.#backlog.close();
      this.#budget.release(this.#liveBytes);
      this.#liveBytes = 0;
    });
  }

  onClose(listener: () => void): void {
    if (this.#response.closed || this.#response.destroyed) listener();
    else this.#response.once('close', listener);
  }

  /** Writes live data. A reader with too much waiting is cut instead. @param onTaken called when the last of it was handed to the kernel */
  write(text: string, onTaken?: () => void): void {
    if (text === '' || !this.#backlog.admits()) return;
    this.#liveBytes += text.length;
    this.#budget.charge(text.length);
    this.#write(text, false, () => {
      onTaken?.();
      // Let go of already if it was closed.
      if (this.#liveBytes === 0) return;
      this.#liveBytes -= text.length;
      this.#budget.release(text.length);
    });
  }

  /**
   * Writes paced data once there is room for it. Resolves with false when the reader is gone.
   * @param room how much to reserve, or what is reserved already
   */
  paced(room: number | BudgetShare, produce: () => string | Promise<string>): Promise<boolean> {
    return this.#backlog.paced(room, async () => {
      const text = await produce();
      if (text !== '' && this.#backlog.isOpen) this.#write(text, true);
      return text.length;
    });
  }

  drained(): Promise<void> {
    return this.#backlog.drained();
  }

  end(): void {
    this.#response.end();
  }

  /** Lets the reader go at once. */
  drop(): void {
    this.#backlog.drop();
  }

  #write(text: string, isPaced: boolean, onTaken?: () => void): void {
    this.#backlog.enter(text.length, isPaced);
    this.#response.write(text, () => {
      onTaken?.();
      this.#backlog.leave(text.length, isPaced);
    });
  }
}
