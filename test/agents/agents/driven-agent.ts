import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ModelApi } from '../model/conversation.ts';

/** What an agent is started in. */
export interface AgentHome {
  /** Empty but for what is written here. */
  home: string;
  /** The folder that it works in, a git work tree. */
  work: string;
  /** The model API, as `http://127.0.0.1:PORT`. */
  modelUrl: string;
}

/** How one of the agents is driven without its model and without a network. */
export interface DrivenAgent {
  api: ModelApi;
  /** Writes its settings; gives its environment. Nothing of it updates itself, reports, or looks for another model. */
  configure: (home: AgentHome) => Promise<Record<string, string>>;
  /** Writes hooks for every event into its settings, each of which POSTs to a URL. Held for at most a minute. */
  hook: (home: AgentHome, url: string) => Promise<void>;
  /** Arguments that let it call its tools without asking where nobody can answer. */
  headless?: readonly string[];
  /** Arguments that let it answer one prompt and end, telling what it does in lines of JSON. */
  once: (prompt: string, options?: { resume?: string }) => string[];
  /** Arguments that let it begin with a prompt on a terminal, and stay there. */
  onTerminal: (prompt: string) => string[];
}

/** The environment that all agents share. */
export const emptyEnvironment = ({ home }: AgentHome): Record<string, string> => ({
  HOME: home,
  // Agents start git and a shell.
  PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
  TERM: 'xterm-256color',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
});

/** Writes a file of settings below the home. */
export async function writeSettings({ home }: AgentHome, path: string, content: string | object): Promise<void> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
}
