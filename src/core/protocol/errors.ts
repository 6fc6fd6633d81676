import { maskPasswords } from '../text/mask-passwords.ts';

/** What is known of an error by its code. */
interface ErrorRow {
  /** Whether the same request can succeed later. */
  retryable: boolean;
  /** Whether it concerns the sender, whatever was sent: each of its other requests would be refused too. */
  isPersonal: boolean;
  /** How the command line ends: the name of an exit code. */
  exit: 'refused' | 'usage' | 'timedOut' | 'notAllowed' | 'unreachable' | 'notFound';
  /** The next step for a person at the command line. A second one stands on a line of its own. */
  hint: string;
}

/** The errors that a server answers with, and their HTTP status. Codes are wire names. */
export const errorTable = {
  INVALID: { status: 400, retryable: false, isPersonal: false, exit: 'usage', hint: 'correct the named field and send it again' },
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    isPersonal: true,
    exit: 'notAllowed',
    hint: 'give a token: --token-file FILE   (SHANNON_DASH_TOKEN)',
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    isPersonal: true,
    exit: 'notAllowed',
    hint: 'what each role may do: shannon-dash token --help',
  },
  NOT_FOUND: { status: 404, retryable: false, isPersonal: false, exit: 'notFound', hint: 'see all: shannon-dash sessions' },
  CONFLICT: {
    status: 409,
    retryable: false,
    isPersonal: false,
    exit: 'notFound',
    hint: 'look at the current state, then decide again',
  },
  SUPERSEDED: {
    status: 409,
    retryable: false,
    isPersonal: false,
    exit: 'notFound',
    hint: 'another orchestrator has taken this session over',
  },
  GONE: { status: 410, retryable: false, isPersonal: false, exit: 'notFound', hint: 'what is left: shannon-dash sessions show SESSION' },
  TOO_LARGE: { status: 413, retryable: false, isPersonal: false, exit: 'refused', hint: 'send less at a time' },
  UNSUPPORTED: {
    status: 415,
    retryable: false,
    isPersonal: true,
    exit: 'refused',
    hint: 'see what listens there, or point at another server: --url URL   (SHANNON_DASH_URL)',
  },
  LIMIT_REACHED: { status: 429, retryable: true, isPersonal: false, exit: 'refused', hint: 'finish or delete something first' },
  INTERNAL: { status: 500, retryable: false, isPersonal: false, exit: 'refused', hint: 'look at the log of the server' },
  JOURNAL_FAILED: {
    status: 503,
    retryable: true,
    isPersonal: false,
    exit: 'refused',
    hint: 'check the disk of the server, then send it again with the same id',
  },
  UNAVAILABLE: { status: 503, retryable: true, isPersonal: false, exit: 'unreachable', hint: 'try again in a moment' },
} as const satisfies Record<string, ErrorRow & { status: number }>;

/** The errors that a client finds by itself, because no answer came. No server can answer with them. */
export const localErrorTable = {
  UNREACHABLE: {
    retryable: true,
    isPersonal: false,
    exit: 'unreachable',
    hint: 'start a server:  shannon-dash serve\nor point at one: --url URL   (SHANNON_DASH_URL)',
  },
  TIMEOUT: { retryable: true, isPersonal: false, exit: 'timedOut', hint: 'look: shannon-dash stats' },
} as const satisfies Record<string, ErrorRow>;

export type WireErrorCode = keyof typeof errorTable;
export type LocalErrorCode = keyof typeof localErrorTable;
export type ErrorCode = WireErrorCode | LocalErrorCode;

const rows: ReadonlyMap<string, ErrorRow> = new Map<string, ErrorRow>([...Object.entries(errorTable), ...Object.entries(localErrorTable)]);

/** The row of a code; undefined for a code of a newer server. */
export function errorRow(code: string): ErrorRow | undefined {
  return rows.get(code);
}

/** Whether a code is one of those that a server answers with. */
export function isWireCode(code: string): code is WireErrorCode {
  return Object.hasOwn(errorTable, code);
}

/** What can be too many, of a server. */
export type LimitName =
  | 'agents'
  | 'browsers'
  | 'commands'
  | 'connections'
  | 'dear_reads'
  | 'events'
  | 'failed_tokens'
  | 'handshakes'
  | 'imports'
  | 'mcp_waits'
  | 'requests'
  | 'sessions'
  | 'shares'
  | 'subscriptions'
  | 'unfinished_commands';

interface ErrorFacts {
  retryAfterMs?: number | undefined;
  limit?: LimitName | undefined;
}

/** An error with a code of the table. `message` is a sentence for people; `details` is JSON for programs. */
export class ShannonDashError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;
  /** After how long the same request may be sent again; absent where only something else helps. */
  readonly retryAfterMs: number | undefined;
  /** Which limit was reached, for the figures of a server; no caller is told. */
  readonly limit: LimitName | undefined;

  constructor(code: ErrorCode, message: string, details?: unknown, options?: ErrorOptions & ErrorFacts) {
    // Many name the URL that was asked, and errors end up in logs and on screens.
    super(maskPasswords(message), options);
    this.name = 'ShannonDashError';
    this.code = code;
    this.details = details;
    this.retryAfterMs = options?.retryAfterMs;
    this.limit = options?.limit;
  }
}
