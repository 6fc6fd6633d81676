import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { safeLine } from '../../../core/text/safe-text.ts';
import { pathBesideJournal, placeOfJournal } from '../../../journal/journal-location.ts';
import { userFolders } from '../../settings/user-folders.ts';
import { createToken, revokeToken, rotateToken } from '../../../server/access/tokens/token-changes.ts';
import { readTokenFile, tokenFileOf, type StoredToken } from '../../../server/access/tokens/token-file.ts';
import { readTokenUses } from '../../../server/access/tokens/token-uses.ts';
import { duration, timeLeft } from '../../../view/text/numbers.ts';
import { Failure, usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { parseDurationMs } from '../../../core/text/parse-duration.ts';
import type { Output } from '../../terminal/output.ts';
import { systemReason } from '../../terminal/system-reason.ts';
import { tableLines } from '../../terminal/table.ts';
import { writeSecret } from './secret-file.ts';
import { tokenDefinition, type TokenAction, type TokenOptions } from './definition.ts';

/** A token that is to last longer has no end. */
const longestMs = 100 * 365 * 86_400_000;

/** Works on the file with the tokens, which a server follows: it need not run. */
export async function token({ args: [action, name], options, settings, output }: Invocation<TokenOptions>): Promise<void> {
  checkUsage(action as TokenAction, name, options);
  const path = tokenFileAt(settings.journal);
  try {
    const url = settings.publicUrl ?? 'http://HOST:PORT';
    await act(action as TokenAction, path, name ?? '', { ...options, url }, output);
  } catch (error) {
    throw inWords(error, path);
  }
}

async function act(action: TokenAction, path: string, name: string, options: TokenOptions & Showing, output: Output): Promise<void> {
  switch (action) {
    case 'create':
      return create(path, name, options, output);
    case 'list':
      return list(path, output);
    case 'revoke':
      return revoke(path, name, output);
    case 'rotate':
      return show(() => rotateToken(path, name), 'replaced: the one before is not valid any more', options, output);
  }
}

/** An error of the file with the tokens, with what to do about it. */
function inWords(error: unknown, path: string): unknown {
  if (error instanceof Failure) return error;
  if (!(error instanceof ShannonDashError)) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) return error;
    return new Failure('FORBIDDEN', `${path} cannot be changed: ${systemReason(error)}`, {
      hints: ['the user that runs the server changes its tokens'],
      cause: error,
    });
  }
  const { code, message } = error;
  const isOfNames = code === 'NOT_FOUND' || code === 'CONFLICT';
  return isOfNames
    ? new Failure(code, message.charAt(0).toLowerCase() + message.slice(1), { hints: ['see all: shannon-dash token list'], cause: error })
    : error;
}

/** @throws Failure a name or an option that is missing, or does not go with the action */
function checkUsage(action: TokenAction, name: string | undefined, options: TokenOptions): void {
  if (name === undefined && action !== 'list') {
    throw usageFailure(
      `token ${action} needs ${action === 'create' ? 'a name for the token' : 'the name or id of a token'}`,
      howTo(action),
    );
  }
  if (name !== undefined && action === 'list') throw usageFailure('token list takes no name', howTo(action));
  for (const { flags, onlyWith } of tokenDefinition.options) {
    const flag = /^--(\w+)/.exec(flags)?.[1] ?? '';
    if (onlyWith !== undefined && !onlyWith.includes(action) && options[flag as keyof TokenOptions] !== undefined)
      throw usageFailure(`--${flag} does not go with token ${action}`, 'see: shannon-dash token --help');
  }
}

function howTo(action: TokenAction): string {
  if (action === 'list') return 'such as: shannon-dash token list';
  return `such as: shannon-dash token ${action} ana${action === 'create' ? ' --role operator' : ''}`;
}

/** @throws Failure the journal has no place where a file could stand beside it */
function tokenFileAt(journal: string): string {
  const beside = pathBesideJournal(journal, userFolders().state);
  if (beside !== undefined) return tokenFileOf(beside);
  const place = placeOfJournal(journal);
  throw usageFailure(
    place.kind === 'unknown'
      ? `${place.scheme}:// is no journal with a file beside it`
      : 'a journal in memory has no tokens: they stand in a file beside the journal',
    'name the journal of the server: --journal PATH   (SHANNON_DASH_JOURNAL)',
  );
}

function create(path: string, name: string, options: TokenOptions & Showing, output: Output): void {
  const { role, steer = false, session, tenant, expires } = options;
  if (role === undefined) throw usageFailure('a token needs a role', 'such as: --role viewer (operator, orchestrator, admin)');
  if (steer && role !== 'operator')
    throw usageFailure(`--steer is for operators; the role is ${role}`, 'leave it out, or: --role operator');
  if (role === 'orchestrator' && session === undefined)
    throw usageFailure('an orchestrator publishes to named sessions only', "name them: --session 'ci-*'");
  const expiresMs = expires === undefined ? undefined : parseDurationMs(expires);
  if (expires !== undefined && (expiresMs === undefined || !(expiresMs > 0) || expiresMs > longestMs))
    throw usageFailure(`--expires ${expires} must be a time such as 12h or 30d`);
  const request = {
    name,
    role,
    steer,
    ...(session === undefined ? {} : { sessions: session }),
    tenant,
    expiresAt: expiresMs === undefined ? undefined : new Date(Date.now() + expiresMs),
  };
  show(() => createToken(path, request), 'created', options, output);
}

interface Showing {
  /** The file to write it to, in place of showing it. */
  out?: string | undefined;
  /** Where its holder reaches the server. */
  url: string;
}

/** Makes a token and shows it, or writes it to the file that is named. */
function show(make: () => { text: string; token: StoredToken }, done: string, { out, url }: Showing, output: Output): void {
  const { text, token } = out === undefined ? make() : writeSecret(out, make);
  if (output.isJson) {
    output.document({ ok: true, ...shown(token), ...(out === undefined ? { token: text } : { file: out }) });
    return;
  }
  if (out === undefined) output.line(text);
  else output.line(safeLine(out, 4_000));
  output.note(`${described(token)}: ${done}`);
  const [verb, rest = ''] = firstUse(token);
  output.note(
    out === undefined
      ? `  it is shown this once; its holder uses it so: SHANNON_DASH_URL=${url} SHANNON_DASH_TOKEN=... shannon-dash ${verb}${rest}`
      : `  its holder uses it so: shannon-dash ${verb} --url ${url} --token-file FILE${rest}`,
  );
  output.note(`  undo it: shannon-dash token revoke ${token.id}`);
}

/** What a holder of a token may do first: an orchestrator publishes, and so does what it runs. */
function firstUse({ role, sessions }: StoredToken): [verb: string, rest?: string] {
  if (role === 'orchestrator') return [`run -s ${sessions[0]?.replaceAll('*', '1')}`, ' -- COMMAND'];
  return [role === 'admin' ? 'stats' : 'watch'];
}

function revoke(path: string, given: string, output: Output): void {
  const revoked = revokeToken(path, given);
  if (output.isJson) output.document({ ok: true, revoked: true, ...shown(revoked) });
  else output.line(`${described(revoked)}: revoked; a server that runs ends what it let in within a second or two`);
}

async function list(path: string, output: Output): Promise<void> {
  const tokens = readTokenFile(path);
  const uses = readTokenUses(path);
  if (output.isJson) {
    output.document({ tokens: tokens.map((token) => ({ ...shown(token), last_used_at: uses.get(token.id) ?? null })) });
    return;
  }
  if (tokens.length === 0) {
    output.note('no tokens yet; make one: shannon-dash token create NAME --role operator');
    return;
  }
  const now = Date.now();
  const rows = tokens.map(({ id, name, role, steer, sessions, tenant, created_at, expires_at, share }) => {
    const isOver = expires_at !== null && Date.parse(expires_at) <= now;
    return [
      id,
      safeLine(name, 64),
      share === undefined
        ? steer
          ? `${role} +steer`
          : role
        : `${role}, ${share.opened ? 'opened' : 'unopened'} link of ${safeLine(share.by, 40)}`,
      `${tenant === undefined ? '' : `${tenant}: `}${safeLine(sessions.join(','), 60)}`,
      ago(created_at, now),
      {
        text: expires_at === null ? 'never' : isOver ? 'expired' : `in ${timeLeft(Date.parse(expires_at) - now)}`,
        tone: isOver ? 'bad' : 'plain',
      } as const,
      uses.has(id) ? ago(uses.get(id) ?? '', now) : 'never',
    ];
  });
  for (const line of await tableLines(['ID', 'NAME', 'ROLE', 'SESSIONS', 'CREATED', 'EXPIRES', 'LAST USED'], rows, output))
    output.line(line);
}

function ago(timestamp: string, nowMs: number): string {
  return `${duration(Math.max(0, nowMs - Date.parse(timestamp)))} ago`;
}

/** Everything of a stored token but its hash. */
function shown({ sha256: _sha256, ...token }: StoredToken): Omit<StoredToken, 'sha256'> {
  return token;
}

function described({ id, name, role }: StoredToken): string {
  return `${role} ${name} (${id})`;
}
