/** SQLite's result code (https://sqlite.org/rescode.html) for a file that is damaged. */
export const corruptCode = 11;
/** TOOBIG, CONSTRAINT, MISMATCH, RANGE, CORRUPT: the fault lies in what was to be written there, and the next session may well be written. */
const codesOfOneSession = new Set([18, 19, 20, 25, corruptCode]);

/** The primary result code of an error of SQLite; 0 for any other error. */
export function sqliteCodeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

/** Whether a write failed because of the session that was written, not because of the whole database. */
export function isOfOneSession(error: unknown): boolean {
  return codesOfOneSession.has(sqliteCodeOf(error));
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
