import { randomUuid } from '../../core/ids.ts';
import type { CommandExecution } from '../../core/protocol/command.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import type { EventData } from '../../core/protocol/event-table.ts';
import type { DecisionState } from '../../core/protocol/session-state.ts';
import { asShannonDashError } from '../connection/connect-failure.ts';
import type { Reach, ReachState } from '../connection/reach.ts';

export interface DecideOptions {
  question: string;
  /** Texts, or `{id, label, description?, recommended?}`; the choice is a text or an `id`. */
  options: EventData<'decision:point'>['options'];
  /** The choice that is taken when no answer comes in `timeoutMs`. */
  default?: string | undefined;
  timeoutMs?: number | undefined;
  /** Default: a random one. The same id after a restart is the same question, with its answer. */
  decisionId?: string | undefined;
  /** Anything that helps to decide. */
  context?: unknown;
  signal?: AbortSignal | undefined;
}

export interface Decided {
  choice: string;
  /** The operator that answered; `timeout`: no answer came in time; `unreachable`: the server was away for too long. */
  made_by: string;
  comment?: string;
}

export interface DecisionDeskParts {
  reach: Reach;
  publish: <Type extends 'decision:point' | 'decision:made'>(type: Type, data: EventData<Type>) => Promise<unknown>;
  /** Called with each question: from now on `decision:made` must be heard. */
  listen: () => void;
}

interface Question {
  /** Of its options. */
  ids: readonly string[];
  fallback: string | undefined;
  /** Tells the server of it. */
  ask: () => void;
  /** Whether the journal has it, as far as we know. */
  isAsked: boolean;
  isLate: boolean;
  resolve: (decided: Decided) => void;
  reject: (error: unknown) => void;
}

/** How many answers are remembered. */
const remembered = 1_000;

/** The questions that a program waits on. The first answer wins, whichever way it comes. */
export class DecisionDesk {
  readonly #parts: DecisionDeskParts;
  readonly #open = new Map<string, Question>();
  readonly #made = new Map<string, Decided>();
  #end: ShannonDashError | undefined;

  constructor(parts: DecisionDeskParts) {
    this.#parts = parts;
    parts.reach.changes.add((reach) => {
      for (const [id, question] of this.#open) this.#withoutServer(id, question, reach);
    });
  }

  /** @throws ShannonDashError INVALID, CONFLICT, UNREACHABLE, SUPERSEDED; or the signal's reason */
  async decide(options: DecideOptions): Promise<Decided> {
    const { default: fallback, timeoutMs, signal, decisionId = randomUuid() } = options;
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw this.#end;
    const ids = options.options.map((option) => (typeof option === 'string' ? option : option.id));
    const known = this.#made.get(decisionId);
    if (known !== undefined && ids.includes(known.choice)) return known;
    if (this.#open.has(decisionId)) throw new ShannonDashError('CONFLICT', `Decision ${decisionId} is being asked already`);
    if (fallback !== undefined && !ids.includes(fallback)) {
      throw new ShannonDashError('INVALID', `default: "${fallback}" is not an option of ${decisionId} (${ids.join(', ')})`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Decided>();
    const data = {
      decision_id: decisionId,
      question: options.question,
      options: options.options,
      default: fallback,
      timeout_ms: timeoutMs,
      context: options.context,
    };
    const ask = () => {
      question.isAsked = false;
      this.#parts.publish('decision:point', data).then(
        () => (question.isAsked = true),
        (error: unknown) => reject(asShannonDashError(error)),
      );
    };
    const question: Question = { ids, fallback, ask, isAsked: false, isLate: false, resolve, reject };
    this.#open.set(decisionId, question);
    this.#parts.listen();
    ask();
    const abort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    const late = () => {
      question.isLate = true;
      this.#withoutServer(decisionId, question, this.#parts.reach.state);
    };
    // Node runs a longer timer at once.
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, Math.min(timeoutMs, 2 ** 31 - 1));
    if (this.#parts.reach.state === 'alone') this.#withoutServer(decisionId, question, 'alone');
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#open.delete(decisionId);
    });
  }

  /** A DECISION command. @throws ShannonDashError CONFLICT when the question has another answer already */
  answer({ by, ...fields }: CommandExecution): void {
    const id = String(fields['decision_id']);
    const choice = String(fields['choice']);
    const known = this.#made.get(id);
    if (known !== undefined && known.choice !== choice) {
      throw new ShannonDashError('CONFLICT', `Decision ${id} was already made: "${known.choice}" by ${known.made_by}`);
    }
    this.#settle(id, {
      choice,
      made_by: by ?? 'operator',
      ...(typeof fields['comment'] === 'string' ? { comment: fields['comment'] } : {}),
    });
  }

  /** The decisions as the server knows them. */
  learn(decisions: readonly DecisionState[]): void {
    for (const { decision_id, choice, made_by, comment } of decisions) {
      if (choice !== null) this.#settle(decision_id, { choice, made_by: made_by ?? 'unknown', ...(comment === null ? {} : { comment }) });
    }
  }

  /** Asks again what the session does not hold, as after it was deleted: those answers would never come. */
  askAgain(decisions: readonly DecisionState[]): void {
    for (const [id, question] of this.#open) {
      if (question.isAsked && !decisions.some(({ decision_id }) => decision_id === id)) question.ask();
    }
  }

  /** The `data` of a `decision:made`. */
  made({ decision_id, choice, made_by, comment }: Record<string, unknown>): void {
    const id = String(decision_id);
    // A producer's answer that is no option does not count: the question stays open.
    if (this.#open.get(id)?.ids.includes(String(choice)) === false) return;
    this.#settle(id, {
      choice: String(choice),
      made_by: typeof made_by === 'string' ? made_by : 'unknown',
      ...(typeof comment === 'string' ? { comment } : {}),
    });
  }

  /** Fails every open question: no answer will come any more. */
  end(error: ShannonDashError): void {
    this.#end ??= error;
    for (const question of this.#open.values()) question.reject(this.#end);
  }

  /** Takes the default itself while the server, which takes it otherwise, is away. */
  #withoutServer(id: string, question: Question, reach: ReachState): void {
    if (this.#end !== undefined || this.#made.has(id) || reach === 'attached' || (reach === 'away' && !question.isLate)) return;
    const { fallback } = question;
    if (fallback !== undefined) {
      const decided = { choice: fallback, made_by: question.isLate ? 'timeout' : 'unreachable' };
      this.#settle(id, decided);
      this.#parts.publish('decision:made', { decision_id: id, ...decided }).catch(() => undefined);
    } else if (reach === 'alone') {
      question.reject(new ShannonDashError('UNREACHABLE', `nobody can be asked, and decision ${id} has no default`));
    }
  }

  #settle(id: string, decided: Decided): void {
    if (this.#made.has(id)) return;
    this.#made.set(id, decided);
    const [oldest] = this.#made.keys();
    if (this.#made.size > remembered && oldest !== undefined) this.#made.delete(oldest);
    this.#open.get(id)?.resolve(decided);
  }
}
