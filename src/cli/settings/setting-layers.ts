import { resolve } from 'node:path';
import type { z } from 'zod';
import { check } from '../../core/json/parse.ts';
import { flawOfLocation, placeOfJournal } from '../../journal/journal-location.ts';
import { usageFailure } from '../failure.ts';
import type { GivenSettings, SettingSource } from './given-settings.ts';
import { settingFields, type SettingValues } from './setting-fields.ts';
import { harmlessFields, pathFields, settingNames, type SettingField } from './setting-names.ts';

/** The settings of one source, checked. */
export interface SettingLayer {
  source: SettingSource;
  values: SettingValues;
  /** The settings that it would make as well, if it were trusted. */
  leftOut: SettingField[];
}

/** Checks the settings of one source. @throws Failure the flag, variable or file, its field, and what is wrong with it */
export function layerOf(given: GivenSettings): SettingLayer {
  const values = checked(given);
  const leftOut = given.isTrusted ? [] : (Object.keys(values) as SettingField[]).filter((field) => !harmlessFields.includes(field));
  for (const field of leftOut) delete values[field];
  return { source: given.source, values, leftOut };
}

function checked({ source, values, nameOf, folder }: GivenSettings): SettingValues {
  const parsed: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(values)) {
    if (given === undefined) continue;
    const known = name as SettingField;
    if (!Object.hasOwn(settingFields, name) || (source === 'project' && known === 'token_file')) {
      const names = settingNames.filter((each) => source !== 'project' || each !== 'token_file');
      throw usageFailure(`${nameOf(name)} is not a setting`, `known: ${names.join(', ')}`);
    }
    const result = check<z.ZodType>(settingFields[known], given);
    if (!result.success) throw usageFailure(`${nameOf(name)} ${result.error.issues[0]?.message ?? 'is not valid'}`);
    const flaw = known === 'journal' ? flawOfLocation(String(result.data)) : undefined;
    if (flaw !== undefined) throw usageFailure(`${nameOf(name)} ${flaw}`, 'such as: --journal postgres://dash@db.example/dash');
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
