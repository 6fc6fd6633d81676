import type { McpServer, ToolAnnotations } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { sessionId } from '../core/ids.ts';
import { ShannonDashError } from '../core/protocol/errors.ts';
import { mcpLimits } from '../core/protocol/limits.ts';
import { sessionData, toolError, toolResult, type Answer } from './answer.ts';
import type { Asking, ServerCalls } from './server-calls.ts';

/** What a tool runs with. */
export interface ToolCall extends Asking {
  calls: ServerCalls;
  signal: AbortSignal;
}

interface ToolDefinition<Input extends z.ZodObject, Facts extends z.ZodObject> {
  name: string;
  title: string;
  /** For the model: when to call it, and what to do with the answer. */
  description: string;
  annotations: ToolAnnotations;
  /** What the asking agent must be allowed to do for the tool to be offered. */
  needs?: 'publish' | 'command';
  input: Input;
  /** What the server itself says, without what others wrote. */
  facts: Facts;
  run: (input: z.output<Input>, call: ToolCall) => Promise<Answer<z.input<Facts>>>;
}

/** A tool, ready to be offered. */
export interface Tool {
  name: string;
  needs: 'publish' | 'command' | undefined;
  offer: (server: McpServer, asking: Asking) => void;
}

/** Makes a tool of its definition: its failures become answers that a model can read. */
export function tool<Input extends z.ZodObject, Facts extends z.ZodObject>(definition: ToolDefinition<Input, Facts>): Tool {
  const { name, title, description, annotations, needs, input, facts, run } = definition;
  const inputSchema: z.ZodObject = input;
  const outputSchema = z.object({ ...facts.shape, session_data: sessionData });
  return {
    name,
    needs,
    offer: (server, asking) =>
      void server.registerTool(
        name,
        {
          title,
          description,
          inputSchema,
          outputSchema,
          annotations: { ...annotations, openWorldHint: false, title },
        },
        async (given, { mcpReq: { signal } }) => {
          try {
            return toolResult(await run(given as z.output<Input>, { ...asking, signal }));
          } catch (error) {
            return toolError(error);
          }
        },
      ),
  };
}

/** Of tools that change nothing. */
export const readOnly: ToolAnnotations = { readOnlyHint: true, idempotentHint: true, destructiveHint: false };

export const sessionInput = sessionId.describe('The id of a session, as list_sessions tells it.');

export const cursorInput = z
  .string()
  .max(200)
  .optional()
  .describe('A cursor of an earlier answer, or the number of an event (0: from the first one).');

/** @param meaning what is waited for */
export function waitInput(meaning: string, seconds: number) {
  const most = mcpLimits.waitMs / 1_000;
  return z
    .number()
    .min(0)
    .max(most)
    .default(seconds)
    .describe(`How many seconds to wait ${meaning}, at most ${most}; 0 looks once. Default ${seconds}.`);
}

/** The session of the asking agent. @throws ShannonDashError INVALID it was not named */
export function ownSession({ own: [session] }: Pick<Asking, 'own'>): string {
  if (session !== undefined) return session;
  throw new ShannonDashError(
    'INVALID',
    'Nobody has said which session is your own. Ask the user to name it: shannon-dash mcp --session ID, or /mcp?session=ID',
  );
}
