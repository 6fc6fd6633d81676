import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CodingAgent } from '../../../src/adapters/coding-agents.ts';

/** Where a published agent is, and what of it is started. */
interface PublishedAgent {
  package: string;
  version: string;
  /** Below the folder that npm installs into. The packages of a platform hold the executables, so that no install script needs to run. */
  executable: string;
}

const linux = `linux-${process.arch}`;
const rustTarget = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-musl`;

/** The versions that docs/agents.md speaks of. */
const publishedAgents: Record<Exclude<CodingAgent, 'cursor'>, PublishedAgent> = {
  'claude-code': {
    package: '@anthropic-ai/claude-code',
    version: '2.1.332',
    executable: `node_modules/@anthropic-ai/claude-code-${linux}/claude`,
  },
  codex: {
    package: '@openai/codex',
    version: '0.171.0',
    executable: `node_modules/@openai/codex-${linux}/vendor/${rustTarget}/bin/codex`,
  },
  gemini: { package: '@google/gemini-cli', version: '0.61.0', executable: 'node_modules/@google/gemini-cli/bundle/gemini.js' },
  opencode: { package: 'opencode-ai', version: '1.18.33', executable: `node_modules/opencode-${linux}/bin/opencode` },
};

export type RunnableAgent = keyof typeof publishedAgents;

/** Agents take 1.3 GB: they stay where they were installed once. */
const cache = process.env['SHANNON_DASH_AGENTS'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'shannon-dash-agents');

/**
 * Installs an agent with npm, without its install scripts, where it is not yet installed.
 * @returns the command that starts it
 */
export async function installedAgent(agent: RunnableAgent): Promise<readonly [file: string, ...args: string[]]> {
  const { package: name, version, executable } = publishedAgents[agent];
  const folder = join(cache, `${agent}-${version}`);
  if (!existsSync(join(folder, executable))) {
    const unfinished = `${folder}-${process.pid}`;
    await mkdir(unfinished, { recursive: true });
    await writeFile(join(unfinished, 'package.json'), '{"private": true}');
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`];
    const npm = spawn('npm', args, { cwd: unfinished, stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(npm, 'exit')) as [number | null];
    if (code !== 0 || !existsSync(join(unfinished, executable)))
      throw new Error(`npm could not install ${name}@${version} with ${executable}`);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  }
  const path = join(folder, executable);
  return path.endsWith('.js') ? [process.execPath, path] : [path];
}
