import { connectQuiet, type SocketClient } from './socket-client.ts';

export type Execution = Record<string, unknown> & { command_id: string; type: string; session_id: string };

/** An orchestrator made of a plain socket.io-client: what it does with a command is the test's choice. */
export class TestOrchestrator {
  readonly client: SocketClient;
  readonly executed: Execution[] = [];
  /** Acknowledges deliveries; false: the process is there but does not react. */
  acknowledges = true;
  /** What it says about each command; undefined: nothing yet. */
  answer: (command: Execution) => Record<string, unknown> | undefined = () => ({ status: 'applied' });

  constructor(client: SocketClient) {
    this.client = client;
    client.socket.on('command:execute', (command: Execution, ack: (value?: unknown) => void) => {
      this.executed.push(command);
      if (this.acknowledges) ack({ received: true });
      const answer = this.answer(command);
      // The answer to this may come after the test is over.
      if (answer !== undefined) this.update(command, answer).catch(() => undefined);
    });
  }

  update(command: Pick<Execution, 'command_id' | 'session_id'>, answer: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.client.ask('command:update', { command_id: command.command_id, session_id: command.session_id, ...answer });
  }

  attach(fields: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.client.ask('orchestrator:attach', { session_id: 's', instance_id: 'one', capabilities: [], ...fields });
  }
}

/** Connects and attaches to session `s`. */
export async function attachOrchestrator(url: string, fields: Record<string, unknown> = {}): Promise<TestOrchestrator> {
  const orchestrator = new TestOrchestrator(await connectQuiet(url, { auth: { client: 'orchestrator' } }));
  const answer = await orchestrator.attach(fields);
  if (answer['success'] !== true) throw new Error(`attaching was refused: ${JSON.stringify(answer)}`);
  return orchestrator;
}
