import { userInfo } from 'node:os';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { trustedToken } from './access-token.ts';
import type { SettingField, SettingValues } from './setting-fields.ts';
import { existing, findUpwards, settingLayers, type SettingSource } from './setting-layers.ts';

/** The project's configuration. */
export const projectFileName = '.shannon-dash.json';

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
  const files = { project: findUpwards(projectFileName, process.cwd()), user: existing(join(folders().config, 'config.json')) };
  const layers = settingLayers(options, files);
  const pick = <Name extends SettingField>(name: Name): { value: SettingValues[Name]; source: SettingSource } | undefined => {
    const layer = layers.find(({ values }) => values[name] !== undefined);
    return layer === undefined ? undefined : { value: layer.values[name], source: layer.source };
  };
  const given = pick('url')?.value;
  const port = pick('port')?.value ?? loopbackPort(given) ?? 8_000;
  const url = given ?? `http://127.0.0.1:${port === 0 ? 8_000 : port}`;
  const level = pick('log_level')?.value ?? 'info';
  return {
    url,
    token: trustedToken(pick('token_file'), { url, source: pick('url')?.source }),
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
    files: Object.values(files).filter((file) => file !== undefined),
  };
}

/** The port of a URL of this machine: `serve` then listens where the other commands look for it. */
function loopbackPort(url: string | undefined): number | undefined {
  if (url === undefined) return undefined;
  const { hostname, port, protocol } = new URL(url);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  return isLoopback && protocol === 'http:' ? Number(port || 80) : undefined;
}

/** The user's folders for this program. */
export function folders(): { config: string; state: string; cache: string } {
  const { config, log, data, cache } = envPaths('shannon-dash', { suffix: '' });
  // What env-paths calls `log` is XDG's state folder; elsewhere that is no place for a journal.
  return { config, state: process.platform === 'linux' ? log : data, cache };
}

function userName(): string {
  try {
    return userInfo().username || 'cli';
  } catch {
    return 'cli';
  }
}
