import { setTimeout as wait } from 'node:timers/promises';
import { isFinal, type CommandResult } from '../../src/core/protocol/command.ts';
import { connectOperator, connectOrchestrator } from '../../src/index.ts';
import { eventsOf } from './client.ts';
import { until, type Scene } from './scene.ts';

/** A program that is steered all the time from two servers, and what became of each command. */
export interface Steered {
  /** Commands that have ended. */
  ended(): number;
  /** Ends the steering. Gives how many commands had not one end, or were carried out more than once or without being applied. */
  stop(historyUrl: string): Promise<{ commands: number; wrong: string[]; applied: number }>;
}

/** @param urls of the servers, in the order in which the program takes them */
export async function steer(scene: Scene, session: string, urls: readonly string[]): Promise<Steered> {
  const program = await connectOrchestrator({ urls, session, instanceId: `program-of-${session}`, capabilities: ['INJECT', 'REDIRECT'] });
  scene.onEnd(() => program.close());
  const executions = new Map<string, number>();
  for (const type of ['INJECT', 'REDIRECT'] as const) {
    program.onCommand(type, ({ command_id }) => {
      executions.set(command_id, (executions.get(command_id) ?? 0) + 1);
      return { done: command_id };
    });
  }
  await program.start();
  const operators = await Promise.all(
    urls.map((_, at) => connectOperator({ urls: [...urls.slice(at), ...urls.slice(0, at)], session, client: `operator ${at}` })),
  );
  for (const operator of operators) scene.onEnd(() => operator.close());
  const results = new Map<string, CommandResult>();
  const over = new AbortController();
  // Operators that are closed refuse at once: the lane must not ask them again.
  let isGivenUp = false;
  scene.onEnd(() => {
    isGivenUp = true;
    over.abort();
  });
  const lane = async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      const command_id = `${session}-${n}`;
      const fields = { command_id, timeout_ms: 20_000 };
      const command =
        n % 2 === 0
          ? ({ type: 'INJECT', skill_name: 'look', ...fields } as const)
          : ({ type: 'REDIRECT', target_skill: 'look', ...fields } as const);
      for (;;) {
        const answers = await Promise.allSettled(operators.map((operator) => operator.send(command, { timeoutMs: 40_000 })));
        const ends = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value as CommandResult] : []));
        const end = ends.find(({ status }) => isFinal(status));
        if (end === undefined && isGivenUp) return;
        if (end === undefined) continue;
        results.set(command_id, end);
        break;
      }
      await wait(20);
    }
  };
  const steering = lane();
  return {
    ended: () => results.size,
    async stop(historyUrl) {
      over.abort();
      await steering;
      await program.flush(30_000);
      const events = await eventsOf(historyUrl, session);
      const endsOf = new Map<string, string[]>();
      for (const { type, data } of events) {
        const end = /^command:(applied|failed|rejected|expired)$/.exec(type)?.[1];
        const id = String(data['command_id']);
        if (end !== undefined) endsOf.set(id, [...(endsOf.get(id) ?? []), end]);
      }
      const wrong: string[] = [];
      for (const [id, { status }] of results) {
        const executed = executions.get(id) ?? 0;
        const isRight =
          endsOf.get(id)?.join() === status && (status === 'applied' ? executed === 1 : executed <= (status === 'failed' ? 1 : 0));
        if (!isRight) wrong.push(`${id}: ${endsOf.get(id)?.join()} for ${status}, carried out ${executed} times`);
      }
      return { commands: results.size, wrong, applied: [...results.values()].filter(({ status }) => status === 'applied').length };
    },
  };
}

/** Resolves when so many more commands have ended. */
export async function moreCommands(steered: Steered, count: number): Promise<void> {
  const from = steered.ended();
  await until('commands to end', () => steered.ended() >= from + count, 120_000);
}
