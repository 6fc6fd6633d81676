import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { z } from 'zod';
import { sessionId } from '../core/ids.ts';
import { parseDurationMs } from './duration.ts';
import { Failure, usageFailure } from './failure.ts';

/** The project's configuration. */
export const projectFileName = '.shannon-dash.json';

const text = z.string('must be a text').min(1, 'must not be empty');
const list = z.array(text, 'must be a list of texts');
const httpUrl = text
  .transform((given) => (given.includes('://') ? given : `http://${given}`))
  .refine((given) => /^https?:$/.test(URL.parse(given)?.protocol ?? ''), 'must be an http(s) URL such as http://127.0.0.1:8000');
const duration = z.union([z.number().positive(), text]).transform((given, context) => {
  const ms = typeof given === 'number' ? given * 1_000 : parseDurationMs(given);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue('must be a time such as 500ms, 5s, 5m or 1h30m');
  return z.NEVER;
});
const flag = z
  .union([z.boolean(), z.enum(['1', '0', 'true', 'false'])], 'must be true or false')
  .transform((given) => given === true || given === '1' || given === 'true');

/** Levels of the server's log; `warning` is another word for `warn`. */
export const logLevels = ['debug', 'info', 'warn', 'warning', 'error'] as const;

const fields = {
  url: httpUrl,
  session: sessionId,
  /** The name shown to others: who halted it. */
  client: text.max(128, 'must be at most 128 characters'),
  timeout: duration,
  host: text,
  port: z.coerce
    .number('must be a port')
    .int('must be a port')
    .min(0, 'must be a port from 0 to 65535')
    .max(65_535, 'must be a port from 0 to 65535'),
  log_level: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`),
  journal: text,
  fsync: flag,
  cors_origins: list,
  skills: list,
  token_file: text,
} as const;

type Field = keyof typeof fields;
type Values = Partial<{ [Name in Field]: z.output<(typeof fields)[Name]> }>;

/** Paths in a file are meant from that file's folder. */
const paths: readonly Field[] = ['journal', 'skills', 'token_file'];

interface Layer {
  source: 'flag' | 'environment' | 'project' | 'user';
  values: Record<string, unknown>;
  /** How the person who set it calls a field. */
  nameOf: (field: string) => string;
  /** Where relative paths begin. */
  folder: string;
}

/** What a command goes by, wherever each value came from. */
export interface Settings {
  url: string;
  token: string | undefined;
  session: string | undefined;
  client: string;
  timeoutMs: number | undefined;
  host: string;
  port: number;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** A path, or `memory`. */
  journal: string;
  fsync: boolean;
  corsOrigins: string[];
  skills: string[];
  /** The configuration files that were read. */
  files: string[];
}

/**
 * Flag, environment, the project's file, the user's file, default: the first that says something counts.
 * @param options the values of flags, as commander names them
 * @throws Failure the flag, variable or file, its field, and what is wrong with it
 */
export function readSettings(options: object): Settings {
  const files = [findUpwards(projectFileName, process.cwd()), existing(join(folders().config, 'config.json'))];
  const layers: Layer[] = [
    { source: 'flag', values: flagValues(options), nameOf: (field) => `--${flagOf(field)}`, folder: process.cwd() },
    { source: 'environment', values: environmentValues(), nameOf: variableName, folder: process.cwd() },
    ...fileLayers(files),
  ];
  const parsed = layers.map((layer) => ({ ...layer, values: parseLayer(layer) }));
  const pick = <Name extends Field>(name: Name): { value: Values[Name]; source: Layer['source'] } | undefined => {
    const layer = parsed.find(({ values }) => values[name] !== undefined);
    return layer === undefined ? undefined : { value: layer.values[name], source: layer.source };
  };
  const port = pick('port')?.value ?? 8_000;
  const url = pick('url')?.value ?? `http://127.0.0.1:${port === 0 ? 8_000 : port}`;
  const level = pick('log_level')?.value ?? 'info';
  return {
    url,
    token: trustedToken(pick('token_file')?.value, url, pick('url')?.source),
    session: pick('session')?.value,
    client: pick('client')?.value ?? userName(),
    timeoutMs: pick('timeout')?.value,
    host: pick('host')?.value ?? '127.0.0.1',
    port,
    logLevel: level === 'warning' ? 'warn' : level,
    journal: pick('journal')?.value ?? join(folders().state, 'journal.db'),
    fsync: pick('fsync')?.value ?? false,
    corsOrigins: pick('cors_origins')?.value ?? [],
    skills: pick('skills')?.value ?? [],
    files: files.filter((file) => file !== undefined),
  };
}

/** The user's folders for this program. */
export function folders(): { config: string; state: string; cache: string } {
  const { config, log, data, cache } = envPaths('shannon-dash', { suffix: '' });
  // What env-paths calls `log` is XDG's state folder; elsewhere that is no place for a journal.
  return { config, state: process.platform === 'linux' ? log : data, cache };
}

function parseLayer({ source, values, nameOf, folder }: Layer): Values {
  const parsed: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(values)) {
    if (given === undefined) continue;
    const known = name as Field;
    if (!Object.hasOwn(fields, name) || (source === 'project' && known === 'token_file')) {
      const known = Object.keys(fields).filter((each) => source !== 'project' || each !== 'token_file');
      throw usageFailure(`${nameOf(name)} is not a setting`, `known: ${known.join(', ')}`);
    }
    const result = fields[known].safeParse(given);
    if (!result.success) throw usageFailure(`${nameOf(name)} ${result.error.issues[0]?.message ?? 'is not valid'}`);
    parsed[name] = paths.includes(known) ? resolved(result.data as string | string[], folder) : result.data;
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
    Object.keys(fields).map((field) => [field, given[flagOf(field).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())]]),
  );
}

/** The flag for a field; one that may be given several times is in the singular. */
function flagOf(field: string): string {
  return field === 'cors_origins' ? 'cors-origin' : field.replaceAll('_', '-');
}

function environmentValues(): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of Object.keys(fields)) {
    const value = process.env[variableName(field)];
    if (value === undefined || value === '') continue;
    values[field] = field === 'skills' ? value.split(delimiter) : field === 'cors_origins' ? value.split(',') : value;
  }
  return values;
}

function variableName(field: string): string {
  return `SHANNON_DASH_${field.toUpperCase()}`;
}

function fileLayers([project, user]: (string | undefined)[]): Layer[] {
  const layer = (source: 'project' | 'user', path: string | undefined): Layer[] =>
    path === undefined
      ? []
      : [{ source, values: readConfiguration(path), nameOf: (field) => `${path}: "${field}"`, folder: dirname(path) }];
  return [...layer('project', project), ...layer('user', user)];
}

function readConfiguration(path: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : `cannot be read: ${reasonOf(cause)}`;
    throw new Failure('INVALID', `${path} ${reason}`, { hints: ['correct it, or remove it'], cause });
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw usageFailure(`${path} must hold an object`, 'such as {"url": "http://127.0.0.1:8000"}');
}

/**
 * The token of the environment or of the file that was named. A project's file came with somebody's code: it may say
 * where the server is, but where that is another machine the token does not go along.
 */
function trustedToken(file: string | undefined, url: string, urlSource: Layer['source'] | undefined): string | undefined {
  const token = process.env['SHANNON_DASH_TOKEN'] || (file === undefined ? undefined : readToken(file));
  const { hostname } = new URL(url);
  if (token === undefined || urlSource !== 'project' || hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.'))
    return token;
  throw new Failure('FORBIDDEN', `${projectFileName} points to ${url}; a token goes to another machine only if you name it yourself`, {
    hints: [`if you trust it: --url ${url}`],
  });
}

function readToken(path: string): string {
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token !== '') return token;
  } catch (cause) {
    throw new Failure('INVALID', `the token file ${path} cannot be read: ${reasonOf(cause)}`, {
      hints: ['name another: --token-file FILE'],
      cause,
    });
  }
  throw usageFailure(`the token file ${path} is empty`);
}

function findUpwards(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = existing(join(folder, name));
    if (found !== undefined) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The path if there is something to read at it; a file that is there and cannot be read is an error, not an absence. */
function existing(path: string): string | undefined {
  try {
    readFileSync(path);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : path;
  }
}

function userName(): string {
  try {
    return userInfo().username || 'cli';
  } catch {
    return 'cli';
  }
}

/** A system error in words that are not a stack: `permission denied`. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
