import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `gate`. */
export interface GateOptions {
  timeout?: string;
}

/** `gate`: a place in a script where a HALT holds it. */
export const gateDefinition: CommandDefinition = {
  name: 'gate',
  summary: 'Wait while the session is halted; exit 0 once it may go on',
  examples: ['gate && ./next-step.sh', 'gate --timeout 10m', 'gate -s run-7f3a -q'],
  options: [
    { flags: '-s, --session <id>', summary: 'the session (default: the only live one)', kind: 'session' },
    { flags: '--timeout <time>', summary: 'exit 3 when it is still halted then (default: wait)', kind: 'duration' },
  ],
};
