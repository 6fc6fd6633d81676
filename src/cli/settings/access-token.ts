import { readFileSync } from 'node:fs';
import { Failure, usageFailure } from '../failure.ts';
import type { SettingSource } from './given-settings.ts';
import { systemReason } from '../terminal/system-reason.ts';

/**
 * The token: of the file that a flag names, else of the environment, else of the file that is configured. It goes to the URL
 * that the user named: one of a project's file counts only where the user trusts that file.
 * @throws Failure the file cannot be read
 */
export function readAccessToken(file: { value: string | undefined; source: SettingSource } | undefined): string | undefined {
  const variable = process.env['SHANNON_DASH_TOKEN'];
  if (variable !== undefined && variable !== '' && file?.source !== 'flag') return variable;
  return file?.value === undefined ? undefined : readToken(file.value);
}

function readToken(path: string): string {
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token !== '') return token;
  } catch (cause) {
    throw new Failure('INVALID', `the token file ${path} cannot be read: ${systemReason(cause)}`, {
      hints: ['name another: --token-file FILE'],
      cause,
    });
  }
  throw usageFailure(`the token file ${path} is empty`);
}
