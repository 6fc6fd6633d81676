import { delimiter, dirname, join } from 'node:path';
import { withoutByteOrderMark } from '../../core/json/byte-order-mark.ts';
import { Failure, usageFailure } from '../failure.ts';
import { readConfigurationFile, type ConfigurationFile } from './configuration-file.ts';
import { findProjectFile } from './project-file.ts';
import { isTrusted } from './project-trust.ts';
import { settingNames } from './setting-names.ts';
import { userFolders } from './user-folders.ts';

/** Where settings come from. */
export type SettingSource = 'flag' | 'environment' | 'project' | 'user';

/** Fields with several values: each has a flag of its own, and a variable holds them with commas between. */
const commaLists: readonly string[] = ['cors_origins', 'allowed_hosts', 'trust_proxies', 'claims'];
/** What stands between the values of a field in its variable. A pattern may hold anything but a line end. */
const separators: ReadonlyMap<string, string> = new Map([
  ...commaLists.map((field): [string, string] => [field, ',']),
  ['skills', delimiter],
  ['redact', '\n'],
]);

/** The settings of one source as they were given, before they are checked. */
export interface GivenSettings {
  source: SettingSource;
  /** Whether it may set what says where to go and what to open. */
  isTrusted: boolean;
  values: Record<string, unknown>;
  /** How the person who set it calls a field. */
  nameOf: (field: string) => string;
  /** Where relative paths begin. */
  folder: string;
}

/** The configuration files, as far as there are any. */
export interface ConfigurationFiles {
  project: ConfigurationFile | undefined;
  user: ConfigurationFile | undefined;
}

/**
 * Looks for the project's file and the user's.
 * @throws Failure the user's is there and is not read: it is the user's own, and what it says is missed
 */
export function findConfigurationFiles(): ConfigurationFiles {
  const user = readConfigurationFile(join(userFolders().config, 'config.json'), false);
  if (user?.refused === undefined) return { project: findProjectFile(process.cwd()), user };
  throw new Failure('INVALID', `${user.path} is not read: ${user.refused}`, { hints: ['correct it, or remove it'] });
}

/**
 * What the flags, the variables, the project's file and the user's file say, those that count first at the beginning.
 * @param options the values of flags, as commander names them
 * @throws Failure a file holds no JSON object
 */
export function givenSettings(options: object, { project, user }: ConfigurationFiles): GivenSettings[] {
  return [
    { source: 'flag', isTrusted: true, values: flagValues(options), nameOf: (field) => `--${flagOf(field)}`, folder: process.cwd() },
    { source: 'environment', isTrusted: true, values: environmentValues(), nameOf: variableName, folder: process.cwd() },
    ...(project?.bytes === undefined ? [] : [fileSettings('project', project, isTrusted(project))]),
    ...(user?.bytes === undefined ? [] : [fileSettings('user', user, true)]),
  ];
}

/** The content of a configuration file. @throws Failure it is no JSON object; the error does not show its text */
export function configurationOf(path: string, bytes: Buffer): Record<string, unknown> {
  const parsed = parsedJson(bytes);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  const fault = parsed === undefined ? 'is not JSON' : 'must hold an object';
  throw usageFailure(`${path} ${fault}`, 'correct it, or remove it; it is such as {"url": "http://127.0.0.1:8000"}');
}

/** Undefined for a text that is no JSON. The parser's own error would quote the text. */
function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(withoutByteOrderMark(String(bytes)));
  } catch {
    return undefined;
  }
}

function flagValues(options: object): Record<string, unknown> {
  const given = options as Record<string, unknown>;
  return Object.fromEntries(
    settingNames.map((field) => [field, given[flagOf(field).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())]]),
  );
}

/** The flag for a field; one that may be given several times is in the singular. */
export function flagOf(field: string): string {
  return (commaLists.includes(field) ? field.replace(/ies$/, 'ys').slice(0, -1) : field).replaceAll('_', '-');
}

function environmentValues(): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of settingNames) {
    const value = process.env[variableName(field)];
    if (value === undefined || value === '') continue;
    const separator = separators.get(field);
    values[field] = separator === undefined ? value : value.split(separator);
  }
  return values;
}

/** The variable for a field. */
export function variableName(field: string): string {
  return `SHANNON_DASH_${field.toUpperCase()}`;
}

function fileSettings(source: 'project' | 'user', { path, bytes }: { path: string; bytes: Buffer }, isTrusted: boolean): GivenSettings {
  return { source, isTrusted, values: configurationOf(path, bytes), nameOf: (field) => `${path}: "${field}"`, folder: dirname(path) };
}
