import { z } from 'zod';
import { eventTypes } from '../../core/event-filter.ts';
import { withoutByteOrderMark } from '../../core/json/byte-order-mark.ts';
import { parse } from '../../core/json/parse.ts';
import { isLoopback } from '../../core/loopback.ts';
import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits, notificationLimits } from '../../core/protocol/limits.ts';
import { sessionGlob } from '../../core/protocol/tokens.ts';
import { toldTypes } from '../../view/notifications/told-events.ts';
import { readOwnFile } from '../access/own-file.ts';

/** The check never quotes a URL: some are secrets. */
const url = z
  .string('must be a URL')
  .max(2_000, 'must be at most 2,000 characters')
  .refine(isTakenUrl, 'must be a URL with https, without a name and a password in it; http goes to this machine only');

function isTakenUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)));
}

const common = {
  /** Globs over the types of events that are told of. */
  events: eventTypes.min(1, 'must name an event').default(() => [...toldTypes]),
  /** Globs over session ids. */
  sessions: z
    .array(sessionGlob, 'must be a list of globs such as ci-*')
    .min(1, 'must name a session')
    .max(limits.tokenSessions, `must be at most ${limits.tokenSessions} globs`)
    .default(() => ['*']),
};
/** Whether a decision is told with what answers it. Whoever can read there can then answer. */
const answer_links = z.boolean('must be true or false').default(false);

const webhook = z.strictObject({
  kind: z.literal('webhook'),
  url,
  secret: z
    .string('must be a text')
    .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and at least 24 random bytes in base64: openssl rand -base64 32'),
  answer_links,
  ...common,
});
const slack = z.strictObject({ kind: z.literal('slack'), url, ...common });
const ntfy = z.strictObject({
  kind: z.literal('ntfy'),
  url: url.refine((text) => topicOf(text) !== '', 'must end with the topic, as https://ntfy.sh/my-topic'),
  token: z
    .string('must be a text')
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be an access token of ntfy')
    .optional(),
  answer_links,
  ...common,
});

const target = z.discriminatedUnion('kind', [webhook, slack, ntfy], 'kind must be webhook, slack or ntfy');

export interface WebhookTarget extends z.output<typeof webhook> {}
export interface SlackTarget extends z.output<typeof slack> {}
export interface NtfyTarget extends z.output<typeof ntfy> {}
export type Target = WebhookTarget | SlackTarget | NtfyTarget;

const targetName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name must be 1 to 64 of A-Z a-z 0-9 . _ -');
const settings = z.strictObject({
  targets: z
    .record(targetName, target, 'must be an object with a target under each name')
    .refine((targets) => Object.keys(targets).length <= notificationLimits.targets, `must be at most ${notificationLimits.targets}`),
});

/**
 * The targets of a file by their names; none where there is no file. The errors quote nothing of the file.
 * @throws ShannonDashError FORBIDDEN it is not a regular file of this user that others can neither read nor write; INVALID its content
 */
export function readTargets(path: string): ReadonlyMap<string, Target> {
  const text = readOwnFile(path);
  if (text === undefined) return new Map();
  let content: unknown;
  try {
    content = JSON.parse(withoutByteOrderMark(text));
  } catch {
    // The parser's own error would quote the text.
    throw new ShannonDashError('INVALID', `${path} is not JSON`);
  }
  return new Map(Object.entries(parse(settings, content, path).targets));
}

/** The topic of ntfy that a URL names: the last part of its path. */
export function topicOf(ntfyUrl: string): string {
  return decodeURIComponent(URL.parse(ntfyUrl)?.pathname.split('/').at(-1) ?? '');
}
