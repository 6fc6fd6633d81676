import { join, resolve } from 'node:path';
import { placeOfJournal } from '../../journal/journal-location.ts';
import { readAccessToken } from '../settings/access-token.ts';
import { findConfigurationFiles, givenSettings, type GivenSettings, type SettingSource } from '../settings/given-settings.ts';
import type { SettingField } from '../settings/setting-names.ts';
import { userFolders } from '../settings/user-folders.ts';

/** Where a completion asks: the server that the command would go to, the session that it would mean, and the local journal. */
export interface Address {
  url: URL;
  /** Other servers over the same journal. */
  others: URL[];
  token: string | undefined;
  session: string | undefined;
  /** The journal's file; undefined where it is in memory, or elsewhere. */
  journal: string | undefined;
}

/**
 * Reads of the settings what a completion needs, from the same places in the same order as the commands do, and without their
 * schemas. Of a project's file that is not trusted only the session counts, not even its port: to press Tab in a folder that was
 * cloned must not lead anywhere that its author chose.
 * @param given the options on the command line, by their names
 * @throws Error a setting is wrong, so the command itself would not run
 */
export function readAddress(given: ReadonlyMap<string, readonly string[]>): Address {
  const last = (name: string) => given.get(name)?.at(-1);
  const options = { url: last('url'), tokenFile: last('token-file'), session: last('session') };
  const layers = givenSettings(options, findConfigurationFiles());
  const pick = (field: SettingField) => pickFrom(layers, field);
  const [url, ...others] = urlsOf(pick('url')?.value, pick('port')?.value);
  const tokenFile = pick('token_file');
  return {
    url,
    others,
    token: readAccessToken(tokenFile === undefined ? undefined : { ...tokenFile, value: resolve(tokenFile.folder, tokenFile.value) }),
    session: pick('session')?.value,
    journal: journalFile(pick('journal')),
  };
}

interface Picked {
  value: string;
  source: SettingSource;
  folder: string;
}

function pickFrom(layers: readonly GivenSettings[], field: SettingField): Picked | undefined {
  for (const { source, isTrusted, values, folder } of layers) {
    const value = values[field];
    if (value === undefined || (!isTrusted && field !== 'session') || (source === 'project' && field === 'token_file')) continue;
    if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`${field} is no text`);
    return { value: `${value}`, source, folder };
  }
  return undefined;
}

function urlsOf(given: string | undefined, port: string | undefined): [URL, ...URL[]] {
  const [first = '', ...others] = (given ?? `127.0.0.1:${port === undefined || port === '0' ? '8000' : port}`).split(',');
  return [urlOf(first), ...others.map(urlOf)];
}

function urlOf(given: string): URL {
  const text = given.trim();
  const url = new URL(text.includes('://') ? text : `http://${text}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`${url.protocol} is no protocol of a server`);
  return url;
}

function journalFile(picked: Picked | undefined): string | undefined {
  if (picked === undefined) return join(userFolders().state, 'journal.db');
  const place = placeOfJournal(picked.value);
  return place.kind === 'file' ? resolve(picked.folder, place.path) : undefined;
}
