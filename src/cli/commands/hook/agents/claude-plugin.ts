import { defaultUrl } from '../../../settings/settings.ts';
import { claudeCode } from './claude-code.ts';

const name = 'shannon-dash';
const description = 'Watch and steer Claude Code live, from any terminal';

/**
 * The files of the plugin for Claude Code, by their paths in its folder: the same hooks as `hook install claude-code` writes, for the
 * server at its usual port, and the tools of `mcp`. The folder is a marketplace too, with this one plugin in it.
 * @param version of this package
 */
export function claudePluginFiles(version: string): Readonly<Record<string, object>> {
  // A plugin is copied to where Claude Code keeps it, so it names the program, which is in PATH.
  const choice = { url: defaultUrl, program: [name] as const, isStrict: false };
  const hooks = Object.fromEntries(Object.keys(claudeCode.events).map((event) => [event, [claudeCode.entryFor(event, choice)]]));
  return {
    '.claude-plugin/plugin.json': { name, version, description, author: { name }, license: 'MIT' },
    '.claude-plugin/marketplace.json': { name, description, owner: { name }, plugins: [{ name, description, source: './' }] },
    'hooks/hooks.json': { description, hooks },
    '.mcp.json': { mcpServers: { [name]: { command: name, args: ['mcp'] } } },
  };
}
