import type { CommandDefinition } from '../../command-definition.ts';

/** The options of `ping`. */
export interface PingOptions {
  count?: number;
  interval?: number;
  maxP99?: number;
}

/** `ping`: the round trip to the server and back. */
export const pingDefinition: CommandDefinition = {
  name: 'ping',
  summary: 'Measure the round trip to the server',
  examples: ['ping', 'ping -c 20 -i 0.1 -q', 'ping -c 100 -i 0 --max-p99 5 --json'],
  options: [
    { flags: '-c, --count <n>', summary: 'so many probes (default: until Ctrl-C)', kind: 'positive-number' },
    { flags: '-i, --interval <seconds>', summary: 'from probe to probe (1)', kind: 'seconds' },
    { flags: '--max-p99 <ms>', summary: 'exit 1 when p99 is above', kind: 'positive-number' },
  ],
  notes: ['', '-q prints the summary only; --timeout is that of a probe (2s).'],
};
