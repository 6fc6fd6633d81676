import { join, resolve } from 'node:path';
import { openCodePlugin } from '../../../../adapters/opencode/plugin-text.ts';
import { serverUrls } from '../../../../core/text/server-urls.ts';
import { endpoint } from '../../../../client/connection/http-exchange.ts';
import { xdgFolder } from '../../../settings/user-folders.ts';
import type { HookChoice, HookScope } from './hooked-agent.ts';

/** OpenCode has no hooks in its settings: it loads each file in a folder as a plugin. */
export const openCode = {
  title: 'OpenCode',
  program: 'opencode',
  oldest: { hooks: undefined, strict: undefined },
  /** The last line of the plugin. */
  comment: { start: '// shannon-dash hook install: ' },
  pathOf: (scope: HookScope): string => join(scope === 'user' ? openCodeFolder() : resolve('.opencode'), 'plugins', 'shannon-dash.js'),
  textFor: ({ url, isStrict }: HookChoice): string =>
    openCodePlugin({ url: endpoint(serverUrls(url)[0], 'api/hooks/opencode').href, isStrict }),
  nextSteps: ['OpenCode loads it when it is started', 'then watch it: shannon-dash watch'],
} as const;

function openCodeFolder(): string {
  const given = process.env['OPENCODE_CONFIG_DIR'];
  return given === undefined || given === '' ? join(xdgFolder('XDG_CONFIG_HOME', '.config'), 'opencode') : resolve(given);
}
