import { openCodePlugin } from '../../../src/adapters/opencode/plugin-text.ts';
import { messagesApi } from '../model/messages-api.ts';
import { emptyEnvironment, writeSettings, type DrivenAgent } from './driven-agent.ts';

const provider = ({ modelUrl }: { modelUrl: string }) => ({
  scripted: {
    npm: '@ai-sdk/anthropic',
    name: 'Scripted',
    options: { baseURL: `${modelUrl}/v1`, apiKey: 'dummy' },
    models: { 'scripted-1': { name: 'Scripted 1', tool_call: true, limit: { context: 200_000, output: 8_000 } } },
  },
});

export const opencode: DrivenAgent = {
  api: messagesApi,
  async configure(home) {
    await writeSettings(home, '.config/opencode/opencode.json', {
      $schema: 'https://opencode.ai/config.json',
      autoupdate: false,
      share: 'disabled',
      model: 'scripted/scripted-1',
      small_model: 'scripted/scripted-1',
      enabled_providers: ['scripted'],
      provider: provider(home),
    });
    return {
      ...emptyEnvironment(home),
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
      OPENCODE_DISABLE_SHARE: '1',
    };
  },
  /** OpenCode says nothing by itself: what our plugin makes of it is what the server hears. */
  async hook(home, url) {
    await writeSettings(home, '.config/opencode/plugins/shannon-dash.js', openCodePlugin({ url, isStrict: false }));
  },
  once: (prompt, { resume } = {}) => ['run', '--format', 'json', ...(resume === undefined ? [] : ['--session', resume]), prompt],
  onTerminal: (prompt) => ['--prompt', prompt],
};
