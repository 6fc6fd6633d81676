/** Texts that would move the cursor, set the title, write the clipboard, hide or reorder, were they printed as they are. */
export const hostileTexts = [
  '\x1b]8;;http://evil.example\x07click\x1b]8;;\x07',
  '\x1b]52;c;ZXZpbA==\x07copy',
  '\x1b]0;owned\x07title',
  '\x1b[2J\x1b[1;1Hcleared',
  '\x1b[31mred\x1b[0m',
  '\x9b2Jc1-csi',
  '\x9d0;c1-osc\x9c',
  '\x90dcs\x9c',
  '\x1bPq#0;2;0;0;0\x1b\\dcs7',
  '\x1b_apc\x1b\\apc',
  '\x07bell',
  'over\rwritten',
  'back\b\b\b\bspace',
  '\u202egnp.exe\u202c',
  'zero\u200b\u200d\u2060width\ufeff',
  'n'.repeat(10_000),
  'lines\nof\u2028text\u0085here',
  '👨‍👩‍👧‍👦 family 🇩🇪 flag 👍🏽 ❤️ 1️⃣',
  '日本語のとても長い名前がここにあります',
  'z̸̢̛͎͙̗̪̣͓͈̺̫̰̱͇̏̍̀͛̈́̀͋͘͝a̵l̶g̷o̸',
  '\ud800lone surrogate',
  '\x1b',
  '\u0000null\u001f',
  'tag\u{e0041}\u{e0042}s',
] as const;

/** What must never stand in a row of the screen: controls, bidirectional marks, invisible characters. */
export const unsafe = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]|\p{Surrogate}/u;

/** Events of every kind in which every text from outside is this one. */
export function hostileEvents(text: string, index = 0): { type: string; data: Record<string, unknown> }[] {
  const name = text.slice(0, 900) || 'x';
  return [
    { type: 'execution:started', data: { task: text, total_steps: 3 } },
    { type: 'execution:progress', data: { progress: 10, message: text } },
    { type: 'agent:spawned', data: { agent_id: name, role: text, task: text } },
    { type: 'agent:progress', data: { agent_id: name, message: text } },
    { type: 'skill:started', data: { skill_name: name, agent_id: name } },
    { type: 'skill:failed', data: { skill_name: name, error: text } },
    { type: 'file:modified', data: { path: name, lines_added: 1, agent_id: name } },
    { type: 'validation:started', data: { check_name: name, command: text } },
    { type: 'validation:output', data: { check_name: name, line: text } },
    { type: 'validation:result', data: { check_name: name, success: false, message: text } },
    { type: 'checkpoint:created', data: { checkpoint_id: `cp-${index}`, label: text } },
    {
      type: 'decision:point',
      data: { decision_id: `d-${index}`, question: name, options: [name, { id: 'b', label: name, description: text }] },
    },
    { type: 'execution:halting', data: { reason: text, initiated_by: text } },
    { type: 'execution:halted', data: { reason: text, initiated_by: text } },
    { type: 'execution:resumed', data: { initiated_by: text } },
    { type: 'custom:hostile', data: { [name]: text, value: text } },
  ];
}
