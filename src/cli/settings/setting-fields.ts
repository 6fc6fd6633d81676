import { isIP } from 'node:net';
import { z } from 'zod';
import { sessionId } from '../../core/ids.ts';
import { isLoopback } from '../../core/loopback.ts';
import { text as wellFormedText } from '../../core/text/text.ts';
import { parseBytes } from '../../core/text/parse-bytes.ts';
import { parseDurationMs } from '../../core/text/parse-duration.ts';
import type { SettingField } from './setting-names.ts';

/** A journal without events has a quarter of it. */
const leastSize = 1_000_000;

const text = wellFormedText.min(1, 'must not be empty');
const list = z.array(text, 'must be a list of texts');
const httpUrl = text
  .transform((given) => (given.includes('://') ? given : `http://${given}`))
  .refine((given) => /^https?:$/.test(URL.parse(given)?.protocol ?? ''), 'must be an http(s) URL such as http://127.0.0.1:8000');
/** One server, or several over one journal. */
const serverUrlList = text.transform((given, context) => {
  const urls = given.split(',').map((each) => httpUrl.safeParse(each.trim()).data);
  if (urls.every((each) => each !== undefined)) return urls.join(',');
  context.addIssue('must be an http(s) URL such as http://127.0.0.1:8000, or several with commas between');
  return z.NEVER;
});
const duration = z.union([z.number().positive(), text], 'must be a time such as 500ms, 5s, 5m or 1h30m').transform((given, context) => {
  const ms = typeof given === 'number' ? given * 1_000 : parseDurationMs(given);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue('must be a time such as 500ms, 5s, 5m or 1h30m');
  return z.NEVER;
});
const size = z.union([z.number().positive(), text], 'must be a size such as 500MB or 2GB').transform((given, context) => {
  const bytes = typeof given === 'number' ? given : parseBytes(given);
  if (bytes !== undefined && bytes >= leastSize) return bytes;
  context.addIssue(bytes === undefined ? 'must be a size such as 500MB or 2GB' : 'must be at least 1MB');
  return z.NEVER;
});
const flag = z
  .union([z.boolean(), z.enum(['1', '0', 'true', 'false'])], 'must be true or false')
  .transform((given) => given === true || given === '1' || given === 'true');

/** `warning` is another word for `warn`. */
const logLevels = ['debug', 'info', 'warn', 'warning', 'error'] as const;

/** Every setting, by its name in a file, and what it may be. Texts stand for values that are none: flags and variables are texts. */
export const settingFields = {
  url: serverUrlList,
  session: sessionId,
  /** The name that other clients see, as in `halted by NAME`. */
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
  allowed_hosts: list,
  /** Proxies that are believed who calls by them. */
  trust_proxies: z.array(text.refine(isNetwork, 'must be an address, or a network such as 10.0.0.0/8'), 'must be a list of texts'),
  /** The URL by which browsers reach the server where that is not its address. */
  public_url: httpUrl
    .transform((given) => new URL(given))
    .refine(
      ({ pathname, search, hash, username, password }) => pathname + search + hash + username + password === '/',
      'must be a URL without a path, a user or a password, such as https://dash.example',
    )
    .transform(({ origin }) => origin),
  dev_origins: flag,
  skills: list,
  /** Whether processes of the user that runs the server need a token too. */
  auth: flag,
  /** An identity provider whose tokens are taken: where its keys are, its name, and for whom its tokens must be. */
  jwks_url: text.refine(
    (given) =>
      URL.canParse(given) && (given.startsWith('https://') || (given.startsWith('http://') && isLoopback(new URL(given).hostname))),
    'must be an https URL (http for this machine only)',
  ),
  issuer: text,
  audience: text,
  /** Which claim of such a token says what, as `role=app_role`. */
  claims: z.array(
    text.regex(
      /^(?:name|role|steer|sessions|tenant)=\S+$/,
      'must be such as role=CLAIM, with name, role, steer, sessions or tenant before the =',
    ),
    'must be a list of texts',
  ),
  /** How long a session without an attached orchestrator may have no event before the server gives it up as lost. */
  lost_after: duration,
  /** What the journal keeps: sessions that are over for so long, the newest events of each session, so many bytes in all. */
  retain: duration,
  retain_events: z.coerce.number('must be a number of events').int('must be a whole number').min(1, 'must be at least 1'),
  retain_size: size,
  /** Patterns of what is not to be told. Those of all sources count together. */
  redact: list,
  token_file: text,
  /** A receiver of traces of OpenTelemetry. */
  otlp: httpUrl,
  /** Whether the dashboard takes the mouse. */
  mouse: flag,
} as const satisfies Record<SettingField, z.ZodType>;

/** An address of IPv4 or IPv6, with or without the bits that a network has in common. */
function isNetwork(given: string): boolean {
  const [address = '', bits, ...rest] = given.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && most >= 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}

/** Settings as they are after the check. */
export type SettingValues = Partial<{ [Name in SettingField]: z.output<(typeof settingFields)[Name]> }>;
