/** The names of all settings, as data: whoever only has to find them loads no schema. */
export const settingNames = [
  'url',
  'session',
  'client',
  'timeout',
  'host',
  'port',
  'log_level',
  'journal',
  'fsync',
  'cors_origins',
  'allowed_hosts',
  'trust_proxies',
  'public_url',
  'auth',
  'jwks_url',
  'issuer',
  'audience',
  'claims',
  'dev_origins',
  'skills',
  'lost_after',
  'retain',
  'retain_events',
  'retain_size',
  'redact',
  'token_file',
  'otlp',
  'mouse',
] as const;

/** The name of a setting. */
export type SettingField = (typeof settingNames)[number];

/** Paths in a file are meant from that file's folder. */
export const pathFields: readonly SettingField[] = ['journal', 'skills', 'token_file'];

/**
 * What a project's file may set before the user trusts it. Everything else says where to connect, listen, write or read, or
 * in whose name, and whoever wrote the file decides none of that for whoever cloned it.
 */
export const harmlessFields: readonly SettingField[] = [
  'session',
  'timeout',
  'port',
  'log_level',
  'fsync',
  'lost_after',
  'redact',
  'mouse',
];
