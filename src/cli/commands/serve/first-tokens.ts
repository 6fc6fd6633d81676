import { existsSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Role } from '../../../core/access.ts';
import { isLoopback } from '../../../core/loopback.ts';
import { readOwnFile } from '../../../server/access/own-file.ts';
import { createToken } from '../../../server/access/tokens/token-changes.ts';
import { readTokenFile } from '../../../server/access/tokens/token-file.ts';
import { hashOf } from '../../../server/access/tokens/token-text.ts';
import { writeSecret } from '../token/secret-file.ts';

interface FirstToken {
  name: string;
  role: Role;
  steer: boolean;
  /** What its holder may do. */
  meaning: string;
  /** What its holder types first. */
  command: string;
}

/** The tokens of a server that other machines can reach and that has none yet: with them a team can begin. */
const firstTokens: readonly FirstToken[] = [
  { name: 'viewer', role: 'viewer', steer: false, meaning: 'may watch', command: 'watch' },
  { name: 'operator', role: 'operator', steer: true, meaning: 'may watch and send every command', command: 'watch' },
  { name: 'admin', role: 'admin', steer: true, meaning: 'may do everything', command: 'stats' },
];

/** Where the first tokens are written for whoever does not see a terminal. */
export function firstTokenFiles(journal: string): string[] {
  return firstTokens.map(({ name }) => fileOf(journal, name));
}

function fileOf(journal: string, name: string): string {
  return `${journal}-token-${name}`;
}

/** Whether a server starts for the first time where other machines can reach it. */
export function needsFirstTokens({ host, tokenFile }: { host: string; tokenFile: string | undefined }): boolean {
  return tokenFile !== undefined && !isLoopback(host) && !existsSync(tokenFile);
}

/** Makes the first tokens. @returns lines to paste into a shell elsewhere: they hold the tokens */
export function firstTokenLines(tokenFile: string, { host, port }: { host: string; port: number }): string[] {
  const url = `http://${nameFor(host)}:${port}`;
  return firstTokens.flatMap(({ meaning, command, ...request }) => {
    const { text } = createToken(tokenFile, request);
    return [`# ${request.name}: ${meaning}`, `SHANNON_DASH_URL=${url} SHANNON_DASH_TOKEN=${text} shannon-dash ${command}`];
  });
}

/** Makes the first tokens, each into a file that only this user can read. @returns their paths by the names of the tokens */
export function writeFirstTokens(tokenFile: string, journal: string): Record<string, string> {
  const made = firstTokens.map(({ meaning: _meaning, command: _command, ...request }) => {
    const path = fileOf(journal, request.name);
    // Of a server before, whose tokens are gone.
    rmSync(path, { force: true });
    writeSecret(path, () => createToken(tokenFile, request));
    return [request.name, path] as const;
  });
  return Object.fromEntries(made);
}

/** The files of the first tokens that are still there and still valid, by the names of the tokens. */
export function keptFirstTokens(tokenFile: string, journal: string): Record<string, string> {
  const valid = new Set(readTokenFile(tokenFile).map(({ sha256 }) => sha256));
  const kept = firstTokens.map(({ name }) => [name, fileOf(journal, name)] as const).filter(([, path]) => valid.has(hashIn(path)));
  return Object.fromEntries(kept);
}

/** The hash of the token in a file; empty where it cannot be read. */
function hashIn(path: string): string {
  try {
    const text = readOwnFile(path);
    return text === undefined ? '' : hashOf(text.trim());
  } catch {
    return '';
  }
}

/** How other machines call this one. */
export function nameFor(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host.includes(':') ? `[${host}]` : host;
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? 'HOST';
}
