import { userInfo } from 'node:os';
import { join } from 'node:path';
import { usageFailure } from '../failure.ts';
import { isLoopback } from '../../core/loopback.ts';
import { serverUrls } from '../../core/text/server-urls.ts';
import { readAccessToken } from './access-token.ts';
import type { SettingValues } from './setting-fields.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import { readEnvironment } from '../../client/environment.ts';
import { findConfigurationFiles, givenSettings, type SettingSource } from './given-settings.ts';
import { layerOf, type SettingLayer } from './setting-layers.ts';
import type { SettingField } from './setting-names.ts';
import { userFolders } from './user-folders.ts';

/** Where a server is looked for that nothing else names. */
export const defaultUrl = 'http://127.0.0.1:8000';

/** The settings of a command, from flags, variables and files. */
export interface Settings {
  /** Of the server; of several over one journal with commas between. */
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
  trustedProxies: string[];
  /** The URL by which browsers reach the server where that is not its address. */
  publicUrl: string | undefined;
  devOrigins: boolean;
  skills: string[];
  /** Whether processes of the same user need a token as well. */
  auth: boolean;
  /** The identity provider whose tokens are taken. */
  identityProvider: { jwksUrl: string; issuer: string; audience: string; claims: Record<string, string> } | undefined;
  lostAfterMs: number | undefined;
  /** What the server removes from the journal by and by. */
  retention: { ageMs: number | undefined; events: number | undefined; bytes: number | undefined };
  /** Where the server sends sessions as traces. */
  otlp: string | undefined;
  /** Whether the dashboard takes the mouse. */
  mouse: boolean;
  /** Regular expressions of what `run` does not tell. */
  redact: string[];
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
  const files = findConfigurationFiles();
  const layers = givenSettings(options, files).map(layerOf);
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
    trustedProxies: pick('trust_proxies')?.value ?? [],
    publicUrl: pick('public_url')?.value,
    devOrigins: pick('dev_origins')?.value ?? true,
    skills: pick('skills')?.value ?? [],
    // Behind a proxy every caller comes from this machine.
    auth: pick('auth')?.value ?? pick('public_url') !== undefined,
    identityProvider: providerOf({
      jwksUrl: pick('jwks_url')?.value,
      issuer: pick('issuer')?.value,
      audience: pick('audience')?.value,
      claims: pick('claims')?.value ?? [],
    }),
    lostAfterMs: pick('lost_after')?.value,
    retention: { ageMs: pick('retain')?.value, events: pick('retain_events')?.value, bytes: pick('retain_size')?.value },
    otlp: pick('otlp')?.value,
    mouse: pick('mouse')?.value ?? true,
    // A project's file can add some, and takes none away.
    redact: layers.flatMap(({ values }) => values.redact ?? []),
    files: [files.project, files.user].flatMap((file) => (file?.bytes === undefined ? [] : file.path)),
    warnings: warningsOf(files.project, layers),
  };
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

/** @throws Failure some of what makes a provider is missing: its tokens would not be checked whole */
function providerOf(given: {
  jwksUrl: string | undefined;
  issuer: string | undefined;
  audience: string | undefined;
  claims: readonly string[];
}): Settings['identityProvider'] {
  const { jwksUrl, issuer, audience, claims } = given;
  if (jwksUrl === undefined && issuer === undefined && audience === undefined) return undefined;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) {
    throw usageFailure('an identity provider needs all three: --jwks-url, --issuer and --audience');
  }
  return { jwksUrl, issuer, audience, claims: Object.fromEntries(claims.map((each) => each.split(/=(.*)/s).slice(0, 2))) };
}

/** Whom a server lets in. */
export function accessOf({ corsOrigins, allowedHosts, trustedProxies, publicUrl, devOrigins, auth, identityProvider }: Settings): Pick<
  Settings,
  'corsOrigins' | 'allowedHosts' | 'trustedProxies' | 'publicUrl' | 'devOrigins' | 'identityProvider'
> & {
  asksEverybody: boolean;
} {
  return { corsOrigins, allowedHosts, trustedProxies, publicUrl, devOrigins, identityProvider, asksEverybody: auth };
}

/** The host and port of a URL of this machine: `serve` then listens where the other commands look for it. */
function loopbackPlace(url: string | undefined): { host: string; port: number } | undefined {
  if (url === undefined) return undefined;
  const [first, ...others] = serverUrls(url);
  const { hostname, port, protocol } = new URL(first);
  if (others.length > 0 || protocol !== 'http:' || !isLoopback(hostname)) return undefined;
  return { host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 80) };
}

function userName(): string {
  try {
    return userInfo().username || 'cli';
  } catch {
    return 'cli';
  }
}
