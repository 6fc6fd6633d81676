import type { RunnableAgent } from '../agents/installed-agent.ts';
import type { ToolCall } from '../model/conversation.ts';
import { bash, colour, subAgent } from '../model/claude-code-calls.ts';
import type { RecordedScene } from './recorded-scene.ts';

const lookers = (more: object = {}) => subAgent('SUBA look around', more);
const question: ToolCall = { name: 'AskUserQuestion', input: { questions: [colour] } };
/** Codex calls its tools out of a script. */
const script = (input: string): ToolCall => ({ name: 'exec', namespace: 'functions', input: { input } });
const exec = (cmd: string, more = ''): ToolCall => script(`text(await tools.exec_command({cmd: '${cmd}'${more}}))`);
const patch = (text: string): ToolCall => script(`text(await tools.apply_patch(${JSON.stringify(text)}))`);
const shell = (command: string): ToolCall => ({ name: 'run_shell_command', input: { command, description: 'try' } });
const lower = (command: string): ToolCall => ({ name: 'bash', input: { command, description: 'try' } });
const escalated = ", sandbox_permissions: 'require_escalated', justification: 'May I?'";
const readOnly = ['-c', 'sandbox_mode="read-only"'];

/** What is recorded of each agent, by the name of its file. */
export const scenes: Readonly<Record<RunnableAgent, Readonly<Record<string, RecordedScene>>>> = {
  'claude-code': {
    work: {
      args: ['--permission-mode', 'default', '--allowedTools', 'Bash,Write,Edit'],
      conversations: {
        MAIN: [
          { text: 'I will.', calls: [bash('echo one'), bash('echo two')] },
          { calls: [{ name: 'Write', input: { file_path: 'a.txt', content: 'x\ny\n' } }] },
          { calls: [{ name: 'Read', input: { file_path: 'a.txt' } }] },
          { calls: [{ name: 'Edit', input: { file_path: 'a.txt', old_string: 'x', new_string: 'z' } }, bash('false')] },
          { text: 'All done.' },
        ],
      },
    },
    'sub-agent': {
      args: ['--permission-mode', 'default', '--allowedTools', 'Bash,Agent'],
      conversations: {
        MAIN: [{ calls: [lookers({ run_in_background: false })] }, { text: 'All done.' }],
        SUBA: [{ calls: [bash('echo inside')] }, { text: 'Looked.' }],
      },
    },
    'background-sub-agent': {
      args: ['--permission-mode', 'default', '--allowedTools', 'Bash,Agent'],
      conversations: {
        MAIN: [{ calls: [lookers()] }, { text: 'It looks.' }, { text: 'All done.' }],
        SUBA: [{ calls: [bash('sleep 2')] }, { text: 'Looked.' }],
      },
    },
    'permission-refused': {
      args: ['--permission-mode', 'default'],
      conversations: { MAIN: [{ calls: [bash('touch a.txt')] }, { text: 'All done.' }] },
    },
    'question-on-terminal': {
      args: ['--permission-mode', 'default'],
      conversations: { MAIN: [{ calls: [question] }, { text: 'All done.' }] },
      steps: [{ until: { screen: 'Enter to select' }, press: '2' }, { until: { hook: 'Stop' } }],
    },
  },
  codex: {
    work: {
      conversations: {
        MAIN: [
          {
            text: 'I will.',
            calls: [script("text(await Promise.all(['one', 'two'].map((each) => tools.exec_command({cmd: 'echo ' + each}))))")],
          },
          { calls: [patch('*** Begin Patch\n*** Add File: a.txt\n+x\n+y\n*** End Patch\n')] },
          { calls: [patch('*** Begin Patch\n*** Update File: a.txt\n-x\n+z\n y\n*** End Patch\n')] },
          { calls: [patch('*** Begin Patch\n*** Update File: none.txt\n-x\n+z\n*** End Patch\n')] },
          { calls: [exec('false')] },
          { text: 'All done.' },
        ],
      },
    },
    'sub-agent': {
      conversations: {
        MAIN: [
          {
            calls: [
              {
                namespace: 'collaboration',
                name: 'spawn_agent',
                input: { task_name: 'look', message: 'SUBA look around', fork_turns: 'none' },
              },
            ],
          },
          { calls: [{ namespace: 'collaboration', name: 'wait_agent', input: { timeout_ms: 60_000 } }] },
          { text: 'All done.' },
        ],
        SUBA: [{ calls: [exec('sleep 2')] }, { text: 'Looked.' }],
      },
    },
    'permission-and-interrupt-on-terminal': {
      args: readOnly,
      conversations: { MAIN: [{ calls: [exec('touch a.txt', escalated)] }, { calls: [exec('sleep 60', escalated)] }, { text: 'Never.' }] },
      steps: [
        { until: { screen: 'tell Codex what to do differently' }, press: 'y' },
        { until: { hook: 'PostToolUse' } },
        { until: { hook: 'PermissionRequest', times: 2 } },
        { until: { screen: '$ sleep 60' }, press: 'y' },
        { until: { screen: 'Running sleep 60' }, press: '\x1b' },
        { until: { hook: 'Interrupt' } },
      ],
    },
  },
  gemini: {
    work: {
      args: ['--approval-mode', 'yolo'],
      conversations: {
        MAIN: [
          { text: 'I will.', calls: [shell('echo one')] },
          { calls: [{ name: 'write_file', input: { file_path: 'a.txt', content: 'x\ny\n' } }] },
          { calls: [{ name: 'replace', input: { file_path: 'a.txt', old_string: 'x', new_string: 'z', instruction: 'change it' } }] },
          { calls: [shell('false')] },
          { calls: [{ name: 'read_file', input: { file_path: 'none.txt' } }] },
          { text: 'All done.' },
        ],
      },
      answer: ({ hook_event_name }) =>
        hook_event_name === 'SessionStart'
          ? { body: { hookSpecificOutput: { hookEventName: 'SessionStart', additionalContext: 'A word before.' } } }
          : undefined,
    },
    'sub-agent': {
      args: ['--approval-mode', 'yolo'],
      conversations: {
        MAIN: [
          { calls: [{ name: 'invoke_agent', input: { agent_name: 'generalist', prompt: 'SUBA look around' } }] },
          { text: 'All done.' },
        ],
        SUBA: [{ calls: [shell('echo inside')] }, { calls: [{ name: 'complete_task', input: { result: { response: 'Looked.' } } }] }],
      },
    },
    'permission-on-terminal': {
      conversations: { MAIN: [{ calls: [shell('touch a.txt')] }, { text: 'All done.' }] },
      steps: [{ until: { screen: 'Allow execution of' }, press: '\r' }, { until: { hook: 'AfterAgent' } }],
    },
  },
  opencode: {
    work: {
      conversations: {
        MAIN: [
          { text: 'I will.', calls: [lower('echo one'), lower('echo two')] },
          { calls: [{ name: 'write', input: { filePath: 'a.txt', content: 'x\ny\n' } }] },
          { calls: [{ name: 'read', input: { filePath: 'a.txt' } }] },
          { calls: [{ name: 'edit', input: { filePath: 'a.txt', oldString: 'x', newString: 'z' } }, lower('exit 3')] },
          { calls: [{ name: 'edit', input: { filePath: 'a.txt', oldString: 'not there', newString: 'z' } }] },
          { text: 'All done.' },
        ],
      },
    },
    'sub-agent': {
      conversations: {
        MAIN: [
          { calls: [{ name: 'task', input: { description: 'Look around', prompt: 'SUBA look around', subagent_type: 'general' } }] },
          { text: 'All done.' },
        ],
        SUBA: [{ calls: [lower('echo inside')] }, { text: 'Looked.' }],
      },
    },
  },
};
