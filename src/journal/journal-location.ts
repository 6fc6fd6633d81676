import { fileURLToPath } from 'node:url';

/** Where a journal is kept. */
export type JournalPlace = { kind: 'memory' } | { kind: 'file'; path: string } | { kind: 'unknown'; scheme: string };

/** Reads the location of a journal: `memory`, `memory:`, a path, `file:PATH`, or a URL of a scheme that nothing here keeps. */
export function placeOfJournal(location: string): JournalPlace {
  if (location === 'memory' || location === 'memory:') return { kind: 'memory' };
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(location)?.[1];
  if (scheme === undefined) return { kind: 'file', path: location.replace(/^file:/, '') };
  if (scheme !== 'file') return { kind: 'unknown', scheme };
  try {
    return { kind: 'file', path: fileURLToPath(location) };
  } catch {
    // It names another machine.
    return { kind: 'unknown', scheme };
  }
}
