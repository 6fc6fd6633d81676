import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withoutByteOrderMark } from '../../../../core/json/byte-order-mark.ts';
import { claudeCodeVariables, claudeFolder } from '../agents/claude-code.ts';
import { ok, problem, type Finding, type Patient } from './finding.ts';

/** One of the files that Claude Code takes settings from. */
interface Source {
  path: string;
  isManaged: boolean;
  values: Readonly<Record<string, unknown>>;
}

const keepOne = 'keep one: shannon-dash hook uninstall claude-code, or /plugin in Claude Code';

/** Looks for settings of Claude Code that switch hooks off, or do not let them call our server. */
export function claudeCodeFindings({ hooks }: Patient): Finding[] {
  const sources = readSources();
  const findings = sources.flatMap(({ path, isManaged, values }) => [
    ...(values['disableAllHooks'] === true
      ? [problem(`${path} switches all hooks off (disableAllHooks)`, isManaged ? 'ask whoever manages this machine' : 'take it out there')]
      : []),
    ...(isManaged && values['allowManagedHooksOnly'] === true
      ? [problem(`${path} allows only the hooks that it holds itself (allowManagedHooksOnly)`, 'ask whoever manages this machine')]
      : []),
    ...(Object.entries(values['enabledPlugins'] ?? {}).some(([name, isOn]) => isOn === true && name.startsWith('shannon-dash@'))
      ? [problem(`${path} switches the plugin of shannon-dash on: it has the same hooks, so each is told twice`, keepOne)]
      : []),
  ]);
  // The lists of several files count together.
  const urls = listed(sources, 'allowedHttpHookUrls');
  for (const url of new Set(hooks.map((each) => each['url']).filter((each) => typeof each === 'string'))) {
    if (urls !== undefined && !urls.values.some((pattern) => matches(pattern, url)))
      findings.push(problem(`${urls.paths} allows no http hook to ${url} (allowedHttpHookUrls)`, 'have it added there'));
  }
  const variables = listed(sources, 'httpHookAllowedEnvVars');
  const missing = variables === undefined ? [] : claudeCodeVariables.filter((name) => !variables.values.includes(name));
  if (missing.length > 0)
    findings.push(
      problem(`${variables?.paths} keeps ${missing.join(', ')} from http hooks (httpHookAllowedEnvVars)`, 'have them added there'),
    );
  return findings.length > 0 ? findings : [ok('no settings of Claude Code keep the hooks from running')];
}

function readSources(): Source[] {
  const managed = managedFolder();
  const dropIns = join(managed, 'managed-settings.d');
  const managedPaths = [join(managed, 'managed-settings.json'), ...jsonFilesIn(dropIns).map((name) => join(dropIns, name))];
  const paths = [join(claudeFolder(), 'settings.json'), resolve('.claude/settings.json'), resolve('.claude/settings.local.json')];
  return [...managedPaths, ...paths].flatMap((path) => {
    const values = settingsIn(path);
    return values === undefined ? [] : [{ path, isManaged: managedPaths.includes(path), values }];
  });
}

/** Where an organization puts settings that count above all others. */
function managedFolder(): string {
  if (process.platform === 'darwin') return '/Library/Application Support/ClaudeCode';
  return process.platform === 'win32' ? String.raw`C:\Program Files\ClaudeCode` : '/etc/claude-code';
}

function jsonFilesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** Undefined where there is no file, or none that Claude Code can read: then it counts for nothing. */
function settingsIn(path: string): Record<string, unknown> | undefined {
  try {
    const values: unknown = JSON.parse(withoutByteOrderMark(readFileSync(path, 'utf8')));
    return typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function listed(sources: readonly Source[], name: string): { paths: string; values: string[] } | undefined {
  const having = sources.filter(({ values }) => Array.isArray(values[name]));
  if (having.length === 0) return undefined;
  const values = having.flatMap((each) => (each.values[name] as unknown[]).map(String));
  return { paths: having.map(({ path }) => path).join(' and '), values };
}

/** `*` stands for anything. */
function matches(pattern: string, url: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(url);
}
