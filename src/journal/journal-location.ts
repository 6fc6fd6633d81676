import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a journal is kept. */
export type JournalPlace =
  | { kind: 'memory' }
  | { kind: 'file'; path: string }
  | { kind: 'postgres'; scheme: string; url: string }
  | { kind: 'unknown'; scheme: string };

/** Reads the location of a journal: `memory`, `memory:`, a path, `file:PATH`, `postgres://…`, or a URL of a scheme that nothing here keeps. */
export function placeOfJournal(location: string): JournalPlace {
  if (location === 'memory' || location === 'memory:') return { kind: 'memory' };
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(location)?.[1];
  if (scheme === undefined) return { kind: 'file', path: location.replace(/^file:/, '') };
  if (/^postgres(?:ql)?$/i.test(scheme)) return { kind: 'postgres', scheme, url: location };
  if (scheme !== 'file') return { kind: 'unknown', scheme };
  try {
    return { kind: 'file', path: fileURLToPath(location) };
  } catch {
    // It names another machine.
    return { kind: 'unknown', scheme };
  }
}

/** What is wrong with a location, as a clause that does not show it; undefined: nothing that can be seen without opening it. */
export function flawOfLocation(location: string): string | undefined {
  if (placeOfJournal(location).kind !== 'postgres') return undefined;
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined) return 'must be a URL: postgres://USER@HOST:5432/DATABASE';
  if (url.password === '' && !url.searchParams.has('password')) return undefined;
  return 'must hold no password, which others could read: put it in PGPASSWORD, or in a file that PGPASSFILE names';
}

/** Where the journal of a tenant is kept: beside the server's own, in a file or a schema of its own. */
export function journalOfTenant(location: string, tenant: string): string {
  const place = placeOfJournal(location);
  if (place.kind === 'memory') return location;
  if (place.kind === 'file') return `${place.path}-tenant-${tenant}`;
  if (place.kind === 'unknown') return location;
  const url = new URL(place.url);
  // A tenant's name has no `_`, so that no two share a schema.
  url.searchParams.set('schema', `${url.searchParams.get('schema') ?? defaultSchema}_tenant_${tenant.replaceAll('-', '_')}`);
  return url.href;
}

/** The schema of a journal in PostgreSQL whose URL names none. */
export const defaultSchema = 'shannon_dash';

/**
 * The path to which the names of the files beside a journal are added: its own, or one in the user's folder for state where it is
 * in a database; undefined where it has none.
 */
export function pathBesideJournal(location: string, stateFolder: string): string | undefined {
  const place = placeOfJournal(location);
  if (place.kind === 'file') return place.path;
  if (place.kind !== 'postgres') return undefined;
  return join(stateFolder, `postgres-${createHash('sha256').update(place.url).digest('hex').slice(0, 16)}`);
}
