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
  insertSessionAt: 'INSERT INTO sessions (key, session_id, epoch, created_at, origin) VALUES (?, ?, ?, ?, ?)',
  insertChunk: 'INSERT INTO chunks (place, json, sum) VALUES (?, ?, ?)',
  insertId: 'INSERT OR REPLACE INTO event_ids (session, id, seq) VALUES (?, ?, ?)',
  seqOfId: 'SELECT seq FROM event_ids WHERE session = ? AND id = ?',
  // From the one that the place lies in.
  chunksFrom: `SELECT place, json, sum FROM chunks
    WHERE place >= coalesce((SELECT max(place) FROM chunks WHERE place >= ? AND place <= ?), ?) AND place < ? ORDER BY place LIMIT ?`,
  nextChunk: 'SELECT place, json, sum FROM chunks WHERE place >= ? AND place < ? ORDER BY place LIMIT 1',
  lastChunk: 'SELECT place, json, sum FROM chunks WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1',
  insertBlock: 'INSERT INTO blocks (place, through, earliest, latest, types, sum) VALUES (?, ?, ?, ?, ?, ?)',
  blocksFrom: `SELECT place, through, earliest, latest, types, sum FROM blocks
    WHERE place >= coalesce((SELECT max(place) FROM blocks WHERE place >= ? AND place <= ?), ?) AND place <= ? ORDER BY place LIMIT ?`,
  blocksBefore: `SELECT place, through, earliest, latest, types, sum FROM blocks
    WHERE place >= ? AND place <= ? ORDER BY place DESC LIMIT ?`,
  bases: 'SELECT session, seq FROM bases',
  saveBase: 'INSERT OR REPLACE INTO bases (session, seq, version, sum, state) VALUES (?, ?, ?, ?, ?)',
  loadBase: 'SELECT seq, version, sum, state FROM bases WHERE session = ?',
  dropBase: 'DELETE FROM bases WHERE session = ?',
  dropOldSnapshot: 'DELETE FROM snapshots WHERE session = ? AND seq < ?',
  chunksThrough: 'SELECT place, json, sum FROM chunks WHERE place >= ? AND place <= ? ORDER BY place LIMIT ?',
  deleteChunk: 'DELETE FROM chunks WHERE place = ?',
  idBehind: 'SELECT id FROM event_ids WHERE session = ? AND id > ? ORDER BY id LIMIT 1 OFFSET ?',
  deleteIdsThrough: 'DELETE FROM event_ids WHERE session = ? AND id > ? AND id <= ? AND seq <= ?',
  deleteIdsBehind: 'DELETE FROM event_ids WHERE session = ? AND id > ? AND seq <= ?',
  deleteBlocksThrough: 'DELETE FROM blocks WHERE place >= ? AND place <= ? AND through <= ?',
  deleteBlocks: 'DELETE FROM blocks WHERE place >= ? AND place < ?',
  deleteChunks: 'DELETE FROM chunks WHERE place >= ? AND place < ?',
  deleteIds: 'DELETE FROM event_ids WHERE session = ?',
  deleteSession: 'DELETE FROM sessions WHERE key = ?',
  putAside: 'INSERT OR REPLACE INTO aside (session_id, head, lines) VALUES (?, ?, ?)',
  dropAside: 'DELETE FROM aside WHERE session_id = ?',
  setMeta: 'UPDATE meta SET value = ? WHERE key = ?',
  addMeta: 'INSERT INTO meta (key, value) VALUES (?, ?)',
  dropMeta: 'DELETE FROM meta WHERE key = ?',
  metaLike: 'SELECT key FROM meta WHERE key GLOB ?',
  commits: `SELECT value FROM meta WHERE key = 'commits'`,
  heads: 'SELECT session, seq, updated_at, sum FROM heads',
  setHead: 'INSERT OR REPLACE INTO heads (session, seq, updated_at, sum) VALUES (?, ?, ?, ?)',
  dropHead: 'DELETE FROM heads WHERE session = ?',
  // Of one version an older one never takes the place of a newer one.
  saveSnapshot: `INSERT INTO snapshots (session, seq, version, json, sum) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (session) DO UPDATE SET seq = excluded.seq, version = excluded.version, json = excluded.json, sum = excluded.sum
    WHERE excluded.seq > snapshots.seq OR excluded.version <> snapshots.version`,
  loadSnapshot: 'SELECT seq, version, json, sum FROM snapshots WHERE session = ?',
  newestSnapshot: 'SELECT seq, version FROM snapshots WHERE session = ?',
  saveRung: 'INSERT OR REPLACE INTO rungs (place, version, sum, state) VALUES (?, ?, ?, ?)',
  lastRung: 'SELECT place FROM rungs WHERE place >= ? AND place <= ? ORDER BY place DESC LIMIT 1',
  loadRung: `SELECT place, version, sum, state FROM rungs
    WHERE place >= ? AND place <= ? AND version = coalesce(?, version) ORDER BY place DESC LIMIT 1`,
  dropRungs: 'DELETE FROM rungs WHERE place >= ? AND place < ?',
  eventBytes: 'SELECT total(octet_length(json)) AS bytes FROM chunks WHERE place > ? AND place <= ?',
  dropSnapshot: 'DELETE FROM snapshots WHERE session = ?',
  saveCursor: 'INSERT OR REPLACE INTO cursors (reader, session, seq) VALUES (?, ?, ?)',
  loadCursors: 'SELECT session, seq FROM cursors WHERE reader = ?',
  dropCursors: 'DELETE FROM cursors WHERE session = ?',
} as const;

/** The statements of a journal's database, prepared once. */
export type Statements = Record<keyof typeof sql, StatementSync>;

export function prepareStatements(database: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(sql).map(([name, text]) => [name, database.prepare(text)])) as Statements;
}
