import { isLoopback } from '../../core/loopback.ts';
import { endpoint, exchange } from './http-exchange.ts';

/** The kernel's tables of TCP sockets: proc_net_tcp(5). */
const kernelTables = ['/proc/net/tcp', '/proc/net/tcp6'];
/** `TCP_LISTEN`, as these tables write it. */
const listening = '0A';
const longestBytes = 4_096;
const challengeMs = 2_000;

/** What a server that asks everybody for a token leaves for the programs of its own user. */
export interface OwnServerFile {
  url: string;
  pid: number;
  token: string;
  /** By it the server proves that it is the one that wrote this. */
  key: string;
}

/** Not imported, since a browser has none. */
function node(): typeof process.getBuiltinModule | undefined {
  return (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule;
}

/** The folder with a file for each such server of this user, `<port>.json`; undefined in a browser. */
export function ownServersFolder(): string | undefined {
  const load = node();
  if (load === undefined) return undefined;
  const paths = load('node:path');
  const home = load('node:os').homedir();
  const { XDG_STATE_HOME, LOCALAPPDATA } = process.env;
  const states: Partial<Record<NodeJS.Platform, string>> = {
    darwin: paths.join(home, 'Library/Application Support/shannon-dash'),
    win32: paths.join(LOCALAPPDATA ?? paths.join(home, 'AppData/Local'), 'shannon-dash/Data'),
  };
  const xdg = XDG_STATE_HOME === undefined || XDG_STATE_HOME === '' ? paths.join(home, '.local/state') : XDG_STATE_HOME;
  return paths.join(states[process.platform] ?? paths.join(xdg, 'shannon-dash'), 'servers');
}

/**
 * The token that a server of this user on this machine has left for its user's programs; undefined where none is needed or found.
 * It is given only to who has proved to be that server: to nothing that has taken the port since, be it another user's.
 * @param tables where the kernel tells who listens
 */
export async function ownServerToken(url: string, tables: readonly string[] = kernelTables): Promise<string | undefined> {
  const { protocol, hostname, port } = URL.parse(url) ?? {};
  if (protocol !== 'http:' || hostname === undefined || !isLoopback(hostname)) return undefined;
  const file = readOwnServerFile(Number(port === '' ? 80 : port));
  if (file === undefined) return undefined;
  const isOwn = isOwnListener(Number(port === '' ? 80 : port), tables) ?? (await provesItself(url, file));
  return isOwn ? file.token : undefined;
}

function readOwnServerFile(port: number): OwnServerFile | undefined {
  const folder = ownServersFolder();
  const load = node();
  if (folder === undefined || load === undefined) return undefined;
  const { closeSync, constants, fstatSync, openSync, readFileSync } = load('node:fs');
  try {
    // Windows has neither of the two flags.
    const descriptor = openSync(
      load('node:path').join(folder, `${port}.json`),
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    try {
      const stats = fstatSync(descriptor);
      const isPrivate = process.platform === 'win32' || (stats.uid === process.geteuid?.() && (stats.mode & 0o077) === 0);
      if (!stats.isFile() || !isPrivate || stats.size > longestBytes) return undefined;
      return asOwnServerFile(JSON.parse(readFileSync(descriptor, 'utf8')));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // There is none, or none that counts: then the server says what it wants.
    return undefined;
  }
}

/** Without a schema library: the completions of a shell ask this too, and have no time to load one. */
function asOwnServerFile(value: unknown): OwnServerFile | undefined {
  const { url, pid, token, key } = (value ?? {}) as Partial<Record<keyof OwnServerFile, unknown>>;
  if (typeof url !== 'string' || typeof pid !== 'number' || typeof token !== 'string' || typeof key !== 'string') return undefined;
  return /^sd_\w+$/.test(token) && isRunning(pid) ? { url, pid, token, key } : undefined;
}

/** A server that was killed has left its file. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether all that listens at a port is of this user; undefined where the kernel does not tell. */
function isOwnListener(port: number, tables: readonly string[]): boolean | undefined {
  const load = node();
  if (load === undefined) return undefined;
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let users: string[] | undefined;
  for (const table of tables) {
    try {
      const rows = load('node:fs').readFileSync(table, 'latin1').split('\n').slice(1);
      const own = rows.map((row) => row.trim().split(/\s+/)).filter(([, local, , state]) => state === listening && local?.endsWith(ending));
      users = [...(users ?? []), ...own.map(([, , , , , , , uid = '']) => uid)];
    } catch {
      // A machine without IPv6 has no second table, and one that is no Linux has none.
    }
  }
  return users === undefined ? undefined : users.length > 0 && users.every((uid) => Number(uid) === process.geteuid?.());
}

/** Whether what answers at a URL holds the key of the file. It must be the URL that the server itself has: another could pass the challenge on. */
async function provesItself(url: string, file: OwnServerFile): Promise<boolean> {
  const load = node();
  if (load === undefined || URL.parse(url)?.host !== URL.parse(file.url)?.host) return false;
  const { createHmac, randomBytes, timingSafeEqual } = load('node:crypto');
  const challenge = randomBytes(32).toString('base64url');
  try {
    const { text } = await exchange(endpoint(file.url, `health?challenge=${challenge}`), {
      signal: AbortSignal.timeout(challengeMs),
      maxChars: longestBytes,
    });
    const { proof } = JSON.parse(text) as { proof?: unknown };
    const expected = createHmac('sha256', file.key).update(challenge).digest();
    const given = Buffer.from(typeof proof === 'string' ? proof : '', 'base64url');
    return given.length === expected.length && timingSafeEqual(given, expected);
  } catch {
    return false;
  }
}
