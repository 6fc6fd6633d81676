import { onTestFinished } from 'vitest';
import { connectOrchestrator } from '../../src/client/orchestrator/orchestrator.ts';
import type { Orchestrator } from '../../src/client/orchestrator/orchestrator-contract.ts';
import type { SessionEvent } from '../../src/core/protocol/event.ts';

/** Events of a run in its middle, of all kinds, at fixed times. */
export const runEvents = [
  ['execution:started', { task: 'Build the API', total_steps: 6 }],
  ['agent:spawned', { agent_id: 'builder-1', role: 'builder' }],
  ['agent:spawned', { agent_id: 'reviewer', role: 'reviewer' }],
  ['skill:started', { skill_name: 'spec-analysis' }],
  ['skill:completed', { skill_name: 'spec-analysis', duration: 64 }],
  ['checkpoint:created', { checkpoint_id: 'cp-1', label: 'after the spec' }],
  ['skill:started', { skill_name: 'wave-orchestration' }],
  ['skill:progress', { skill_name: 'wave-orchestration', progress: 62 }],
  ['agent:progress', { agent_id: 'builder-1', message: 'edit src/api.ts' }],
  ['file:modified', { path: 'src/api.ts', lines_added: 120, lines_removed: 14, agent_id: 'builder-1' }],
  ['file:created', { path: 'src/日本語/とても長い.ts', lines_added: 9, agent_id: 'builder-1' }],
  ['checkpoint:created', { checkpoint_id: 'cp-2', label: 'after wave 1' }],
  ['validation:started', { check_name: 'tests', command: 'npm test' }],
  ['validation:output', { check_name: 'tests', line: 'FAIL api.test.ts' }],
  ['validation:result', { check_name: 'tests', success: false, message: '3 failed / 214', duration: 48 }],
  ['skill:started', { skill_name: 'lint' }],
  ['skill:failed', { skill_name: 'lint', error: '3 problems', duration: 7 }],
  ['execution:progress', { progress: 61, message: 'wave 1 of 3' }],
  ['custom:thing', { a: 1, b: 'two' }],
].map(([type, data], index) => ({ type, data, timestamp: new Date(Date.UTC(2026, 0, 2, 12, 4, index * 7, 420)).toISOString() })) as {
  type: string;
  data: Record<string, unknown>;
  timestamp: string;
}[];

/** Two decisions, the older one from the reviewer. */
export const decisionEvents = [
  {
    type: 'decision:point',
    data: {
      decision_id: 'd-1',
      question: 'Migrate the users table now?',
      options: ['migrate', 'skip', 'ask again later'],
      agent_id: 'reviewer',
    },
    timestamp: '2026-01-02T12:06:30.000Z',
  },
  {
    type: 'decision:point',
    data: { decision_id: 'd-2', question: 'Which database?', options: ['pg', 'sqlite'] },
    timestamp: '2026-01-02T12:06:40.000Z',
  },
];

/** Attaches an orchestrator that carries out every command, with a preview for a rollback. */
export async function attachOrchestrator(url: string, session: string): Promise<Orchestrator> {
  const orchestrator = await connectOrchestrator({ url, session, instanceId: 'orch-1', client: 'orch' });
  onTestFinished(() => orchestrator.close());
  orchestrator.onCommand('ROLLBACK', ({ dry_run }) =>
    dry_run === true ? { checkpoint_id: 'cp-2', files: ['src/api.ts (edited)', 'src/new.ts (created)'] } : { restored: 'cp-2' },
  );
  orchestrator.onCommand('STOP', () => ({ ended: true }));
  return orchestrator;
}

/** One command of the ledger. */
export interface LedgerCommand {
  command_type: string;
  status: string;
  parameters: Record<string, unknown>;
  by: string | null;
}

/** The commands that reached the server, the oldest first. */
export async function commandsOf(url: string, session: string): Promise<LedgerCommand[]> {
  const answer = await fetch(`${url}/api/sessions/${session}/events?limit=10000&types=command:queued,command:rejected`);
  const { events } = (await answer.json()) as { events: SessionEvent[] };
  return events.map(({ type, data }) => ({ ...(data as unknown as LedgerCommand), status: type.slice('command:'.length) }));
}
