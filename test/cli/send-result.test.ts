import { expect, test } from 'vitest';
import { resultLine } from '../../src/cli/commands/send/send-result.ts';
import type { CommandResult } from '../../src/core/protocol/command.ts';

const halted = { command_type: 'HALT', status: 'applied', acknowledged_by: 'claude-code', attached: true, elapsed_ms: 14, session_id: 's' };

test('a HALT names what goes on although the agent stands still', () => {
  const line = (result: unknown) => resultLine({ ...halted, result } as CommandResult);
  const in_flight = [{ tool_name: 'Bash', tool_id: 't' }];
  expect(line({ state: 'held', in_flight, background: ['npm run dev'] })).toBe(
    'HALT applied by claude-code in 14 ms (halted; still going on: Bash, npm run dev)',
  );
  expect(line({ state: 'idle', in_flight: [], background: [] })).toBe('HALT applied by claude-code in 14 ms (halted)');
  expect(line({ state: 'held', in_flight: [], background: Array.from({ length: 9 }, (_, at) => `b${at}\u001b[2J`) })).toMatch(
    /b0.*b4.* and 4 more\)$/,
  );
  expect(line({ state: 'held', in_flight: [], background: ['\u001b[2J'] })).not.toContain('\u001b');
  for (const other of [undefined, 'stopped', { in_flight: 3 }]) expect(line(other)).toBe('HALT applied by claude-code in 14 ms (halted)');
});
