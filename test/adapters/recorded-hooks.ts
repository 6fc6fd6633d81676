import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { adapters } from '../../src/adapters/adapters.ts';
import type { CodingAgent } from '../../src/adapters/coding-agents.ts';
import type { Signal } from '../../src/adapters/signal.ts';

/** What an agent's hooks said in a scene, as `RECORD=1 npm run test:agents -- recording` has written it. */
export function recordedHooks(agent: CodingAgent, scene: string): Record<string, unknown>[] {
  return JSON.parse(readFileSync(fileURLToPath(new URL(`./recorded/${agent}/${scene}.json`, import.meta.url)), 'utf8')) as Record<
    string,
    unknown
  >[];
}

/** The same as signals. */
export function recordedSignals(agent: CodingAgent, scene: string): Signal[] {
  return recordedHooks(agent, scene).map((payload) => adapters[agent].parse(payload));
}

/** The scenes that were recorded of an agent. */
export function recordedScenes(agent: CodingAgent): string[] {
  return readdirSync(fileURLToPath(new URL(`./recorded/${agent}/`, import.meta.url))).map((file) => file.replace('.json', ''));
}

/** A signal in few words: its kind, whose it is, and the call. */
export function inWords(signal: Signal): string {
  const call = 'tool' in signal ? signal.tool.name : '';
  return [signal.kind, call, signal.agentId === null ? '' : 'of a sub-agent'].filter((each) => each !== '').join(' ');
}
