import { delimiter, dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { withoutByteOrderMark } from '../../core/json/byte-order-mark.ts';
import { check } from '../../core/json/parse.ts';
import { placeOfJournal } from '../../journal/journal-location.ts';
import { usageFailure } from '../failure.ts';
import { harmlessFields, pathFields, settingFields, type SettingField, type SettingValues } from './setting-fields.ts';

/** Where settings come from. */
export type SettingSource = 'flag' | 'environment' | 'project' | 'user';

/** Fields with several values: each has a flag of its own, and a variable holds them with commas between. */
const commaLists = ['cors_origins', 'allowed_hosts'];

/** The settings of one source, checked. */
export interface SettingLayer {
  source: SettingSource;
  values: SettingValues;
  /** The settings that it would make as well, if it were trusted. */
  leftOut: SettingField[];
}

/** A configuration file that was read. */
export interface GivenFile {
  path: string;
  bytes: Buffer;
  /** Whether it may set what says where to go and what to open. */
  isTrusted: boolean;
}

/** The settings of one source as they were given. */
interface Given {
  source: SettingSource;
  isTrusted: boolean;
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
export function settingLayers(options: object, files: { project: GivenFile | undefined; user: GivenFile | undefined }): SettingLayer[] {
  const given: Given[] = [
    { source: 'flag', isTrusted: true, values: flagValues(options), nameOf: (field) => `--${flagOf(field)}`, folder: process.cwd() },
    { source: 'environment', isTrusted: true, values: environmentValues(), nameOf: variableName, folder: process.cwd() },
    ...(['project', 'user'] as const).flatMap((source) => fileValues(source, files[source])),
  ];
  return given.map(layerOf);
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

function layerOf(given: Given): SettingLayer {
  const values = checked(given);
  const leftOut = given.isTrusted ? [] : (Object.keys(values) as SettingField[]).filter((field) => !harmlessFields.includes(field));
  for (const field of leftOut) delete values[field];
  return { source: given.source, values, leftOut };
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
    const result = check<z.ZodType>(settingFields[known], given);
    if (!result.success) throw usageFailure(`${nameOf(name)} ${result.error.issues[0]?.message ?? 'is not valid'}`);
    parsed[name] = pathFields.includes(known) ? resolved(result.data as string | string[], folder) : result.data;
  }
  return parsed;
}

function resolved(value: string | string[], folder: string): string | string[] {
  if (Array.isArray(value)) return value.map((each) => resolve(folder, each));
  const place = placeOfJournal(value);
  if (place.kind === 'file') return resolve(folder, place.path);
  return place.kind === 'memory' ? 'memory' : value;
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
export function flagOf(field: string): string {
  return (commaLists.includes(field) ? field.slice(0, -1) : field).replaceAll('_', '-');
}

function environmentValues(): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of Object.keys(settingFields)) {
    const value = process.env[variableName(field)];
    if (value === undefined || value === '') continue;
    values[field] = field === 'skills' ? value.split(delimiter) : commaLists.includes(field) ? value.split(',') : value;
  }
  return values;
}

/** The variable for a field. */
export function variableName(field: string): string {
  return `SHANNON_DASH_${field.toUpperCase()}`;
}

function fileValues(source: 'project' | 'user', file: GivenFile | undefined): Given[] {
  if (file === undefined) return [];
  const { path, bytes, isTrusted } = file;
  return [{ source, isTrusted, values: configurationOf(path, bytes), nameOf: (field) => `${path}: "${field}"`, folder: dirname(path) }];
}
