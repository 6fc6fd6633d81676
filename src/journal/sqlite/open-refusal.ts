/** Why a journal is not opened, for programs. */
export type OpenRefusalReason =
  /** Another server has it: see `pid` and `url`. */
  | 'in_use'
  /** It, or a file beside it, is not a journal's. */
  | 'foreign'
  /** It is a journal's, and cannot be read as one. */
  | 'damaged'
  /** It may not be read and written by this user. */
  | 'denied'
  /** A newer version has written it. */
  | 'newer'
  /** Something that was acknowledged is gone: whoever opens it says first that this is known. */
  | 'loss'
  /** Anything else. */
  | 'failed';

/** What `details` of the error holds that `openSqliteJournal` throws. */
export interface OpenRefusalDetails {
  reason: OpenRefusalReason;
  /** With `in_use`: whose it is, as far as that is known. */
  pid?: number | undefined;
  url?: string | undefined;
}

/** Thrown on the way to an open journal. The message is a clause: "it is a folder". */
export class OpenRefusal extends Error {
  readonly details: OpenRefusalDetails;

  constructor(reason: OpenRefusalReason, clause: string, { cause, ...details }: { cause?: unknown; pid?: number; url?: string } = {}) {
    super(clause, cause === undefined ? undefined : { cause });
    this.details = { reason, ...details };
  }
}
