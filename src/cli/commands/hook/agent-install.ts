import { existsSync, readFileSync } from 'node:fs';
import type { CodingAgent } from '../../../adapters/coding-agents.ts';
import { Failure } from '../../failure.ts';
import { guarded, occupantOf, removeWithFolders, writeInstalled } from '../../installed-file.ts';
import type { HookChoice, HookScope } from './agents/hooked-agent.ts';
import { hookedAgents } from './agents/hooked-agents.ts';
import { openCode } from './agents/opencode.ts';
import { installing, uninstalling, type HooksChange } from './settings-file/hooks-change.ts';
import { ownHooks } from './settings-file/own-hooks.ts';
import { checkIsInProject, divided, readSettingsFile } from './settings-file/settings-file.ts';
import { checkSettings } from './settings-file/with-hooks.ts';

/** What stands in the settings of an agent. */
export interface Installed {
  path: string;
  /** The handlers, as the agent reads them; of a plugin its text. */
  hooks: readonly Readonly<Record<string, unknown>>[];
}

/** As its maker writes it. */
export function titleOf(agent: CodingAgent): string {
  return agent === 'opencode' ? openCode.title : hookedAgents[agent].title;
}

/** What a person does once the hooks are installed. */
export function nextStepsOf(agent: CodingAgent): readonly string[] {
  return agent === 'opencode' ? openCode.nextSteps : hookedAgents[agent].nextSteps;
}

/** Where an agent looks from here: in a home both are one file. */
export function scopesOf(agent: CodingAgent): readonly HookScope[] {
  const { pathOf } = agent === 'opencode' ? openCode : hookedAgents[agent];
  return pathOf('user') === pathOf('project') ? ['user'] : ['user', 'project'];
}

/** Where a change goes. @throws Failure a project's file leads out of the project */
function pathIn({ pathOf }: { pathOf: (scope: HookScope) => string }, scope: HookScope): string {
  const path = pathOf(scope);
  if (scope === 'project' && path !== pathOf('user')) checkIsInProject(path);
  return path;
}

/** The change that puts the hooks in an agent's settings. @throws Failure the settings are not as the agent reads them */
export function installingHooks(agent: CodingAgent, scope: HookScope, choice: HookChoice): HooksChange {
  if (agent === 'opencode') return pluginChange(pathIn(openCode, scope), openCode.textFor(choice));
  const hooked = hookedAgents[agent];
  const entries = Object.fromEntries(Object.keys(hooked.events).map((event) => [event, hooked.entryFor(event, choice)]));
  return installing(pathIn(hooked, scope), { agent, entries, needs: hooked.needs }, hooked);
}

/** The change that takes them out again. @throws Failure */
export function uninstallingHooks(agent: CodingAgent, scope: HookScope): HooksChange {
  if (agent === 'opencode') return pluginChange(pathIn(openCode, scope), undefined);
  const hooked = hookedAgents[agent];
  return uninstalling(pathIn(hooked, scope), { agent, entries: {}, needs: hooked.needs }, hooked);
}

/** Our hooks in an agent's settings; undefined where there are none. @throws Failure the settings are not as the agent reads them */
export function installedHooks(agent: CodingAgent, scope: HookScope): Installed | undefined {
  if (agent === 'opencode') {
    const path = openCode.pathOf(scope);
    return occupantOf(path, openCode.comment).kind === 'none' ? undefined : { path, hooks: [{ text: readFileSync(path, 'utf8') }] };
  }
  const { pathOf, readsComments, title } = hookedAgents[agent];
  const path = pathOf(scope);
  const [, text] = divided(readSettingsFile(path).text ?? '');
  try {
    checkSettings(text, readsComments);
  } catch (cause) {
    throw new Failure('INVALID', `${path} is not as ${title} reads it: ${(cause as Error).message}`, { cause });
  }
  const hooks = ownHooks(text, agent).map(({ handler }) => handler);
  return hooks.length === 0 ? undefined : { path, hooks };
}

/** A plugin is a file of its own. @param text undefined: it goes */
function pluginChange(path: string, text: string | undefined): HooksChange {
  const occupant = occupantOf(path, openCode.comment);
  if (occupant.kind === 'foreign') {
    throw new Failure('CONFLICT', `${path} is not as hook install has written it: it is left as it is`, {
      hints: ['move it away, and try again'],
    });
  }
  const whole = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const before = whole?.slice(0, whole.lastIndexOf(openCode.comment.start));
  return {
    path,
    before,
    after: text,
    make: () =>
      guarded(path, () => {
        if (text !== undefined) writeInstalled({ path, text, comment: openCode.comment }, occupant);
        else if (occupant.kind === 'ours') removeWithFolders(path, occupant.mark.folders);
      }),
  };
}
