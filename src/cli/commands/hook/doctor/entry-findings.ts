import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { serverUrls } from '../../../../core/text/server-urls.ts';
import { ownCommand } from '../../../../executable/own-program.ts';
import { installingHooks } from '../agent-install.ts';
import { hookedAgents } from '../agents/hooked-agents.ts';
import { ok, problem, warning, type Finding, type Patient } from './finding.ts';

/** Looks at the entries themselves: whether they start what is there, go to the right server, and are those of this version. */
export function entryFindings(patient: Patient): Finding[] {
  const { agent, scope, hooks, settings } = patient;
  const again = `install them again: shannon-dash hook install ${agent}${scope === 'project' ? ' --project' : ''}`;
  const { origin } = new URL(serverUrls(settings.url)[0]);
  const gone = new Set(hooks.flatMap(wordsOf).filter((word) => isAbsolute(word) && !existsSync(word)));
  const others = new Set(hooks.flatMap(originsIn).filter((each) => each !== origin));
  const findings = [
    ...[...gone].map((path) => problem(`the hooks start ${path}, which is gone`, again)),
    ...[...others].map((other) =>
      problem(`the hooks go to ${other}, and this program to ${origin}`, `${again}   or name it: --url ${other}`),
    ),
  ];
  if (findings.length > 0) return findings;
  return [
    isOfThisVersion(patient) ? ok('the hooks are those of this version') : warning('the hooks are not as this version writes them', again),
  ];
}

/** Whether it is what `install` would write, with whichever of its options. */
function isOfThisVersion({ agent, scope, hooks, settings }: Patient): boolean {
  const [file, words] = ownCommand();
  const shown = shownSorted(hooks);
  const checkpointKinds = [undefined, 'git'] as const;
  const choices = [true, false].flatMap((isStrict) => checkpointKinds.map((checkpoints) => ({ isStrict, checkpoints })));
  return choices.some((each) => {
    const choice = { url: settings.url, program: [file, ...words] as const, ...each };
    if (agent === 'opencode') return String(hooks[0]?.['text']).startsWith(installingHooks(agent, scope, choice).after ?? ' ');
    const { events, entryFor } = hookedAgents[agent];
    return shownSorted(Object.keys(events).flatMap((event) => handlersIn(entryFor(event, choice)))) === shown;
  });
}

function shownSorted(handlers: readonly unknown[]): string {
  return JSON.stringify(handlers.map((each) => JSON.stringify(each)).toSorted());
}

function handlersIn(entry: Record<string, unknown>): unknown[] {
  return Array.isArray(entry['hooks']) ? entry['hooks'] : [entry];
}

/** The words of a command: its arguments as they are, or the line of a shell taken apart. */
function wordsOf({ command, args }: Readonly<Record<string, unknown>>): string[] {
  if (typeof command !== 'string') return [];
  if (Array.isArray(args)) return [command, ...args.map(String)];
  return [...command.matchAll(/'((?:[^']|'\\'')*)'|"([^"]*)"|(\S+)/g)].map(
    ([, quoted, double, bare]) => quoted?.replaceAll(String.raw`'\''`, "'") ?? double ?? bare ?? '',
  );
}

function originsIn(handler: Readonly<Record<string, unknown>>): string[] {
  const words = wordsOf(handler);
  const at = words.indexOf('--url');
  const url = typeof handler['url'] === 'string' ? handler['url'] : at === -1 ? undefined : words[at + 1];
  const origin = url === undefined ? undefined : URL.parse(serverUrls(url)[0])?.origin;
  return origin === undefined ? [] : [origin];
}
