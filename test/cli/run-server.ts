import { join } from 'node:path';
import type { SessionEvent } from '../../src/core/protocol/event.ts';
import { StartedProgram, type Place } from './started-program.ts';

/** `serve` in a process of its own, which can be killed and started again on the same port and journal. */
export interface ServerProcess {
  /** The place's environment, with its URL. */
  env: NodeJS.ProcessEnv;
  events(session: string): Promise<SessionEvent[]>;
  /** SIGKILL. */
  kill(): Promise<void>;
  startAgain(): Promise<void>;
}

export async function serverProcess({ folder, env }: Place, journal = ['--journal', join(folder, 'journal.db')]): Promise<ServerProcess> {
  let url = '';
  const start = async (port: string) => {
    const program = new StartedProgram(['serve', '--port', port, '--json', ...journal], { folder, env });
    await program.until(({ stdout }) => stdout.includes('\n'));
    ({ url } = JSON.parse(program.stdout) as { url: string });
    return program;
  };
  let program = await start('0');
  return {
    env: { ...env, SHANNON_DASH_URL: url },
    async events(session) {
      const answer = await fetch(`${url}/api/sessions/${session}/events?limit=10000`);
      return ((await answer.json()) as { events: SessionEvent[] }).events;
    },
    async kill() {
      program.child.kill('SIGKILL');
      await program.ended;
    },
    async startAgain() {
      program = await start(new URL(url).port);
    },
  };
}
