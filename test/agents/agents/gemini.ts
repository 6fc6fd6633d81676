import { geminiApi } from '../model/gemini-api.ts';
import { postHook } from '../hooks/post-hook-command.ts';
import { emptyEnvironment, writeSettings, type DrivenAgent } from './driven-agent.ts';

/** Not those of each request to the model: they hold it whole. */
const events = ['SessionStart', 'SessionEnd', 'BeforeAgent', 'AfterAgent', 'BeforeTool', 'AfterTool', 'Notification', 'PreCompress'];

const settings = {
  security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
  general: { disableAutoUpdate: true, disableUpdateNag: true, enableAutoUpdate: false },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  model: { name: 'gemini-2.5-pro' },
};

export const gemini: DrivenAgent = {
  api: geminiApi,
  async configure(home) {
    await writeSettings(home, '.gemini/settings.json', settings);
    return {
      ...emptyEnvironment(home),
      GOOGLE_GEMINI_BASE_URL: home.modelUrl,
      GEMINI_API_KEY: 'dummy',
      GEMINI_TELEMETRY_ENABLED: 'false',
      GEMINI_CLI_NO_RELAUNCH: 'true',
    };
  },
  async hook(home, url) {
    const group = [{ hooks: [{ type: 'command', command: postHook(url), timeout: 60_000 }] }];
    await writeSettings(home, '.gemini/settings.json', { ...settings, hooks: Object.fromEntries(events.map((event) => [event, group])) });
  },
  headless: ['--approval-mode', 'yolo'],
  once: (prompt, { resume } = {}) => [
    '--skip-trust',
    '--output-format',
    'stream-json',
    ...(resume === undefined ? [] : ['--resume', resume]),
    '--prompt',
    prompt,
  ],
  onTerminal: (prompt) => ['--skip-trust', '--prompt-interactive', prompt],
};
