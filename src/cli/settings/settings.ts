import { userInfo } from 'node:os';
import { join } from 'node:path';
import { isLoopback } from '../../core/loopback.ts';
import { readAccessToken } from './access-token.ts';
import type { SettingField, SettingValues } from './setting-fields.ts';
import { readConfigurationFile, type ConfigurationFile } from './configuration-file.ts';
import { readEnvironment } from '../../client/environment.ts';
import { Failure } from '../failure.ts';
import { findProjectFile } from './project-file.ts';
import { isTrusted } from './project-trust.ts';
import { settingLayers, type SettingLayer, type SettingSource } from './setting-layers.ts';
import { userFolders } from './user-folders.ts';

/** The settings of a command, from flags, variables and files. */
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
  allowedHosts: string[];
  devOrigins: boolean;
  skills: string[];
  lostAfterMs: number | undefined;
  /** The configuration files that were read. */
  files: string[];
  /** Sentences about what the project's file says and what was not done. */
  warnings: string[];
}

/**
 * Flag, environment, the project's file, the user's file, default: the first that says something counts.
 * @param options the values of flags, as commander names them
 * @throws Failure the flag, variable or file, its field, and what is wrong with it
 */
export function readSettings(options: object): Settings {
  const found = { project: findProjectFile(process.cwd()), user: userFile() };
  const files = {
    project: found.project?.bytes === undefined ? undefined : { ...found.project, isTrusted: isTrusted(found.project) },
    user: found.user?.bytes === undefined ? undefined : { ...found.user, isTrusted: true },
  };
  const layers = settingLayers(options, files);
  const pick = <Name extends SettingField>(name: Name): { value: SettingValues[Name]; source: SettingSource } | undefined => {
    const layer = layers.find(({ values }) => values[name] !== undefined);
    return layer === undefined ? undefined : { value: layer.values[name], source: layer.source };
  };
  const given = pick('url')?.value;
  const place = loopbackPlace(given);
  const port = pick('port')?.value ?? place?.port ?? 8_000;
  const url = given ?? `http://127.0.0.1:${port === 0 ? 8_000 : port}`;
  const level = pick('log_level')?.value ?? 'info';
  return {
    url,
    token: readAccessToken(pick('token_file')),
    session: pick('session')?.value,
    client: pick('client')?.value ?? userName(),
    timeoutMs: pick('timeout')?.value,
    host: pick('host')?.value ?? place?.host ?? '127.0.0.1',
    port,
    logLevel: level === 'warning' ? 'warn' : level,
    journal: pick('journal')?.value ?? join(userFolders().state, 'journal.db'),
    fsync: pick('fsync')?.value ?? false,
    corsOrigins: pick('cors_origins')?.value ?? [],
    allowedHosts: pick('allowed_hosts')?.value ?? [],
    devOrigins: pick('dev_origins')?.value ?? true,
    skills: pick('skills')?.value ?? [],
    lostAfterMs: pick('lost_after')?.value,
    files: Object.values(files)
      .filter((file) => file !== undefined)
      .map(({ path }) => path),
    warnings: warningsOf(found.project, layers),
  };
}

/** @throws Failure it is there and is not read: it is the user's own, and what it says is missed */
function userFile(): ConfigurationFile | undefined {
  const file = readConfigurationFile(join(userFolders().config, 'config.json'), false);
  if (file?.refused === undefined) return file;
  throw new Failure('INVALID', `${file.path} is not read: ${file.refused}`, { hints: ['correct it, or remove it'] });
}

function warningsOf(project: ConfigurationFile | undefined, layers: readonly SettingLayer[]): string[] {
  // The run that started this program has said it.
  if (project === undefined || readEnvironment().run !== undefined) return [];
  if (project.refused !== undefined) return [`${project.path} is not read: ${project.refused}`];
  const at = layers.findIndex(({ source }) => source === 'project');
  const above = layers.slice(0, at);
  const missed = layers[at]?.leftOut.filter((field) => above.every(({ values }) => values[field] === undefined)) ?? [];
  if (missed.length === 0) return [];
  return [`${project.path} is not trusted: ${missed.join(', ')} left out; look at it, then: shannon-dash trust`];
}

/** Which pages and names a server lets in. */
export function accessOf({
  corsOrigins,
  allowedHosts,
  devOrigins,
}: Settings): Pick<Settings, 'corsOrigins' | 'allowedHosts' | 'devOrigins'> {
  return { corsOrigins, allowedHosts, devOrigins };
}

/** The host and port of a URL of this machine: `serve` then listens where the other commands look for it. */
function loopbackPlace(url: string | undefined): { host: string; port: number } | undefined {
  if (url === undefined) return undefined;
  const { hostname, port, protocol } = new URL(url);
  if (protocol !== 'http:' || !isLoopback(hostname)) return undefined;
  return { host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 80) };
}

function userName(): string {
  try {
    return userInfo().username || 'cli';
  } catch {
    return 'cli';
  }
}
