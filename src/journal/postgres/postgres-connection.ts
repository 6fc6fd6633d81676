import { ShannonDashError } from '../../core/protocol/errors.ts';
import { Client, type ClientConfig, type QueryResult, type QueryResultRow } from 'pg';

/** So long an answer may take before the connection counts as cut: a network may swallow everything without a word. */
const answerMs = 10_000;
const connectMs = 5_000;
/** A connection that cannot be made is tried again after so long, doubled each time up to the longest. */
const [firstPauseMs, longestPauseMs] = [50, 1_000];

/**
 * In a transaction that locks, PostgreSQL waits so long for the next statement: a server that was stopped in the middle of one, or whose
 * network has gone, holds up the others no longer.
 */
const idleMs = 3_000;

/** The connection was cut, or none could be made: whether what was asked for was done is not known. */
export class ConnectionCut extends Error {}

export interface ConnectionOptions {
  config: ClientConfig;
  /** Makes each new connection ready. */
  prepare: (client: Client) => Promise<unknown>;
  /** A connection has ended that was not closed here. */
  onCut?: () => void;
  onNotification?: (payload: string) => void;
}

/** One connection to PostgreSQL, made anew when it is asked for after a cut. */
export class PostgresConnection {
  readonly #options: ConnectionOptions;
  #client: Promise<Client> | undefined;
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** @throws ConnectionCut, and what PostgreSQL refuses */
  async query<Row extends QueryResultRow>(text: string, values: unknown[] = [], name?: string): Promise<QueryResult<Row>> {
    return this.#ask<Row>(await this.#connected(), text, values, name);
  }

  /**
   * Runs statements in one transaction: all of them over one connection, or none.
   * @throws ConnectionCut also where the transaction may have been kept; what PostgreSQL refuses, and what `work` throws
   */
  async transaction<Result>(work: (query: PostgresConnection['query']) => Promise<Result>): Promise<Result> {
    const client = await this.#connected();
    await this.#ask(client, `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${idleMs}`);
    try {
      const result = await work((text, values, name) => this.#ask(client, text, values, name));
      await this.#ask(client, 'COMMIT');
      return result;
    } catch (error) {
      if (!(error instanceof ConnectionCut)) await this.#ask(client, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /** Connects, trying again for so long. @throws ConnectionCut */
  async connect(patienceMs: number): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.#connected();
        return;
      } catch (error) {
        if (this.#isClosed || performance.now() + pauseMs > untilMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    // A connection on which nothing comes any more is not waited for.
    await Promise.race([client?.end().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
  }

  async #ask<Row extends QueryResultRow>(client: Client, text: string, values: unknown[] = [], name?: string): Promise<QueryResult<Row>> {
    try {
      return await client.query<Row>({ text, values, ...(name === undefined ? {} : { name }) });
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.#drop(client);
      throw new ConnectionCut(reasonOfCut(error), { cause: error });
    }
  }

  #connected(): Promise<Client> {
    if (this.#isClosed) return Promise.reject(new ConnectionCut('it is closed'));
    const made = (this.#client ??= this.#make());
    made.catch(() => {
      if (this.#client === made) this.#client = undefined;
    });
    return made;
  }

  async #make(): Promise<Client> {
    const { config, prepare, onNotification } = this.#options;
    const client = new Client({
      ...config,
      connectionTimeoutMillis: connectMs,
      query_timeout: answerMs,
      keepAlive: true,
      application_name: onNotification === undefined ? 'shannon-dash' : 'shannon-dash listen',
    });
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    if (onNotification !== undefined) client.on('notification', ({ payload }) => onNotification(payload ?? ''));
    try {
      await client.connect();
      await prepare(client);
      return client;
    } catch (error) {
      void client.end().catch(() => undefined);
      throw isRefusal(error) ? error : new ConnectionCut(reasonOfCut(error), { cause: error });
    }
  }

  #drop(client: Client): void {
    const made = this.#client;
    void made?.then(
      (current) => {
        if (current !== client || this.#client !== made) return;
        this.#client = undefined;
        void client.end().catch(() => undefined);
        if (!this.#isClosed) this.#options.onCut?.();
      },
      () => undefined,
    );
  }
}

/**
 * Whether PostgreSQL has answered, with an error: then nothing was done. Classes 08 and 57 of its codes
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html), and 25P03 after `idleMs`, tell of a connection that it ends.
 */
export function isRefusal(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^[\dA-Z]{5}$/.test(code) && !/^(?:08|57P|25P03)/.test(code);
}

/** The code of an error: PostgreSQL's, or the system's. */
function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function reasonOfCut(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOfCut(error.errors[0]);
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}

/** @param mayBeKept the connection was cut behind what was to be written, and nobody knows what became of it */
export function postgresFailure(verb: 'read' | 'written', cause: unknown, mayBeKept = false): ShannonDashError {
  if (cause instanceof ShannonDashError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = cause instanceof ConnectionCut ? `PostgreSQL cannot be reached (${text})` : `PostgreSQL says: ${text}`;
  const advice = mayBeKept ? '; it may have been kept: send it again with the same id' : '';
  return new ShannonDashError('JOURNAL_FAILED', `The journal could not be ${verb}: ${reason}${advice}`, undefined, { cause });
}
