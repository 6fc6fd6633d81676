import { readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { Failure, usageFailure } from './failure.ts';
import { pathFields, settingFields, type SettingField, type SettingValues } from './setting-fields.ts';
import { systemReason } from './system-reason.ts';

/** Where settings come from. */
export type SettingSource = 'flag' | 'environment' | 'project' | 'user';

/** The settings of one source, checked. */
export interface SettingLayer {
  source: SettingSource;
  values: SettingValues;
}

/** The settings of one source as they were given. */
interface Given {
  source: SettingSource;
  values: Record<string, unknown>;
  /** How the person who set it calls a field. */
  nameOf: (field: string) => string;
  /** Where relative paths begin. */
  folder: string;
}

/**
 * The sources, those that count first at the beginning.
 * @param options the values of flags, as commander names them
 * @throws Failure the flag, variable or file, its field, and what is wrong with it
 */
export function settingLayers(options: object, files: { project: string | undefined; user: string | undefined }): SettingLayer[] {
  const folder = process.cwd();
  const given: Given[] = [
    { source: 'flag', values: flagValues(options), nameOf: (field) => `--${flagOf(field)}`, folder },
    { source: 'environment', values: environmentValues(), nameOf: variableName, folder },
    ...(['project', 'user'] as const).flatMap((source) => fileValues(source, files[source])),
  ];
  return given.map((each) => ({ source: each.source, values: checked(each) }));
}

/** The file of this name in the folder or the nearest one above it. */
export function findUpwards(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = existing(join(folder, name));
    if (found !== undefined) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The path if there is something to read at it; a file that is there and cannot be read is an error, not an absence. */
export function existing(path: string): string | undefined {
  try {
    readFileSync(path);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : path;
  }
}

function checked({ source, values, nameOf, folder }: Given): SettingValues {
  const parsed: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(values)) {
    if (given === undefined) continue;
    const known = name as SettingField;
    if (!Object.hasOwn(settingFields, name) || (source === 'project' && known === 'token_file')) {
      const names = Object.keys(settingFields).filter((each) => source !== 'project' || each !== 'token_file');
      throw usageFailure(`${nameOf(name)} is not a setting`, `known: ${names.join(', ')}`);
    }
    const result = settingFields[known].safeParse(given);
    if (!result.success) throw usageFailure(`${nameOf(name)} ${result.error.issues[0]?.message ?? 'is not valid'}`);
    parsed[name] = pathFields.includes(known) ? resolved(result.data as string | string[], folder) : result.data;
  }
  return parsed;
}

function resolved(value: string | string[], folder: string): string | string[] {
  if (Array.isArray(value)) return value.map((each) => resolve(folder, each));
  return value === 'memory' ? value : resolve(folder, value);
}

function flagValues(options: object): Record<string, unknown> {
  const given = options as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(settingFields).map((field) => [
      field,
      given[flagOf(field).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())],
    ]),
  );
}

/** The flag for a field; one that may be given several times is in the singular. */
function flagOf(field: string): string {
  return field === 'cors_origins' ? 'cors-origin' : field.replaceAll('_', '-');
}

function environmentValues(): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of Object.keys(settingFields)) {
    const value = process.env[variableName(field)];
    if (value === undefined || value === '') continue;
    values[field] = field === 'skills' ? value.split(delimiter) : field === 'cors_origins' ? value.split(',') : value;
  }
  return values;
}

function variableName(field: string): string {
  return `SHANNON_DASH_${field.toUpperCase()}`;
}

function fileValues(source: 'project' | 'user', path: string | undefined): Given[] {
  if (path === undefined) return [];
  return [{ source, values: readConfiguration(path), nameOf: (field) => `${path}: "${field}"`, folder: dirname(path) }];
}

function readConfiguration(path: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : `cannot be read: ${systemReason(cause)}`;
    throw new Failure('INVALID', `${path} ${reason}`, { hints: ['correct it, or remove it'], cause });
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw usageFailure(`${path} must hold an object`, 'such as {"url": "http://127.0.0.1:8000"}');
}
