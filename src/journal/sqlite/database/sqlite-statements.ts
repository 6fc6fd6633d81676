import type { DatabaseSync, StatementSync } from 'node:sqlite';

const sql = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT one',
  releaseSavepoint: 'RELEASE one',
  rollbackToSavepoint: 'ROLLBACK TO one',
  setEpoch: 'UPDATE sessions SET epoch = ? WHERE key = ?',
  insertSession: 'INSERT INTO sessions (session_id, epoch, created_at, origin) VALUES (?, ?, ?, ?)',
  insertChunk: 'INSERT INTO chunks (place, json, sum) VALUES (?, ?, ?)',
  insertId: 'INSERT INTO event_ids (session, id, seq) VALUES (?, ?, ?)',
  seqOfId: 'SELECT seq FROM event_ids WHERE session = ? AND id = ?',
  // From the one that the place lies in.
  chunksFrom: `SELECT place, json, sum FROM chunks
    WHERE place >= coalesce((SELECT max(place) FROM chunks WHERE place >= ? AND place <= ?), ?) AND place < ? ORDER BY place LIMIT ?`,
  nextChunk: 'SELECT place, json, sum FROM chunks WHERE place >= ? AND place < ? ORDER BY place LIMIT 1',
  lastChunk: 'SELECT place, json, sum FROM chunks WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1',
  deleteChunks: 'DELETE FROM chunks WHERE place >= ? AND place < ?',
  deleteIds: 'DELETE FROM event_ids WHERE session = ?',
  deleteSession: 'DELETE FROM sessions WHERE key = ?',
  putAside: 'INSERT OR REPLACE INTO aside (session_id, head, lines) VALUES (?, ?, ?)',
  dropAside: 'DELETE FROM aside WHERE session_id = ?',
  setMeta: 'UPDATE meta SET value = ? WHERE key = ?',
  commits: `SELECT value FROM meta WHERE key = 'commits'`,
  heads: 'SELECT session, seq, updated_at, sum FROM heads',
  setHead: 'INSERT OR REPLACE INTO heads (session, seq, updated_at, sum) VALUES (?, ?, ?, ?)',
  dropHead: 'DELETE FROM heads WHERE session = ?',
  // Of one version an older one never takes the place of a newer one.
  saveSnapshot: `INSERT INTO snapshots (session, seq, version, json, sum) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (session) DO UPDATE SET seq = excluded.seq, version = excluded.version, json = excluded.json, sum = excluded.sum
    WHERE excluded.seq > snapshots.seq OR excluded.version <> snapshots.version`,
  loadSnapshot: 'SELECT seq, version, json, sum FROM snapshots WHERE session = ?',
  dropSnapshot: 'DELETE FROM snapshots WHERE session = ?',
} as const;

/** The statements of a journal's database, prepared once. */
export type Statements = Record<keyof typeof sql, StatementSync>;

export function prepareStatements(database: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(sql).map(([name, text]) => [name, database.prepare(text)])) as Statements;
}
