import { messagesApi } from '../model/messages-api.ts';
import { postHook } from '../hooks/post-hook-command.ts';
import { emptyEnvironment, writeSettings, type DrivenAgent } from './driven-agent.ts';

const events = [
  'PreToolUse',
  'PostToolUse',
  'PostToolUseFailure',
  'PostToolBatch',
  'Notification',
  'UserPromptSubmit',
  'SessionEnd',
  'Stop',
  'StopFailure',
  'SubagentStart',
  'SubagentStop',
  'PreCompact',
  'PostCompact',
  'PermissionRequest',
  'PermissionDenied',
  'TaskCreated',
  'TaskCompleted',
  'CwdChanged',
];

export const claudeCode: DrivenAgent = {
  api: messagesApi,
  async configure(home) {
    await writeSettings(home, '.claude.json', {
      hasCompletedOnboarding: true,
      bypassPermissionsModeAccepted: true,
      customApiKeyResponses: { approved: ['dummy'], rejected: [] },
      projects: { [home.work]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
    });
    return {
      ...emptyEnvironment(home),
      ANTHROPIC_BASE_URL: home.modelUrl,
      ANTHROPIC_API_KEY: 'dummy',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
      DISABLE_ERROR_REPORTING: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    };
  },
  async hook(home, url) {
    const http = [{ hooks: [{ type: 'http', url, timeout: 60 }] }];
    // Of this event, commands alone are taken.
    const sessionStart = [{ hooks: [{ type: 'command', command: postHook(url), timeout: 60 }] }];
    await writeSettings(home, '.claude/settings.json', {
      hooks: { SessionStart: sessionStart, ...Object.fromEntries(events.map((event) => [event, http])) },
    });
  },
  once: (prompt, { resume } = {}) => [
    '-p',
    prompt,
    '--output-format',
    'stream-json',
    '--verbose',
    ...(resume === undefined ? [] : ['--resume', resume]),
  ],
  onTerminal: (prompt) => ['--', prompt],
};
