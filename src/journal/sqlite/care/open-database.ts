import type { DatabaseSync } from 'node:sqlite';

/** Opens a file with SQLite as it is. @throws SQLite's error */
export async function openDatabase(path: string): Promise<DatabaseSync> {
  const sqlite = await import('node:sqlite');
  return new sqlite.DatabaseSync(path, { timeout: 0 });
}
