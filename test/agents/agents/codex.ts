import { responsesApi } from '../model/responses-api.ts';
import { postHook } from '../hooks/post-hook-command.ts';
import { emptyEnvironment, writeSettings, type DrivenAgent } from './driven-agent.ts';

const events = [
  'SessionStart',
  'SessionEnd',
  'UserPromptSubmit',
  'PreToolUse',
  'PermissionRequest',
  'PostToolUse',
  'PreCompact',
  'PostCompact',
  'SubagentStart',
  'SubagentStop',
  'Stop',
  'Interrupt',
];

export const codex: DrivenAgent = {
  api: responsesApi,
  async configure(home) {
    await writeSettings(
      home,
      '.codex/config.toml',
      `model = "gpt-6.2-sol"
model_provider = "scripted"
approval_policy = "on-request"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.scripted]
name = "scripted"
base_url = "${home.modelUrl}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[projects.${JSON.stringify(home.work)}]
trust_level = "trusted"
`,
    );
    return { ...emptyEnvironment(home), SCRIPTED_KEY: 'dummy', OPENAI_API_KEY: 'dummy' };
  },
  async hook(home, url) {
    const group = [{ hooks: [{ type: 'command', command: postHook(url), timeout: 60 }] }];
    await writeSettings(home, '.codex/hooks.json', { hooks: Object.fromEntries(events.map((event) => [event, group])) });
  },
  once: (prompt, { resume } = {}) => [
    'exec',
    '--dangerously-bypass-hook-trust',
    '--skip-git-repo-check',
    '--json',
    ...(resume === undefined ? [] : ['resume', resume]),
    prompt,
  ],
  onTerminal: (prompt) => ['--dangerously-bypass-hook-trust', prompt],
};
