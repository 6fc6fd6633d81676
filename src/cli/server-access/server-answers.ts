import { z } from 'zod';
import type { CommandResult, CommandResults } from '../../core/protocol/command.ts';
import type { PublishedMessage } from '../../core/protocol/messages.ts';
import type { CommandState, DecisionState, SessionState } from '../../core/protocol/session-state.ts';

/**
 * What the server answers, as far as this program looks at it: enough to tell a server of ours from whatever else answers at
 * an address. Words that a newer server may know more of (a status, a type) are any texts.
 */

const text = z.string();
const timed = { timestamp: text.optional() };
const textOrNull = text.nullable();
const attachment = z.looseObject({ attached: z.boolean(), instance_id: textOrNull }).nullable();

/** An answer that says when it was given, by the server's clock. */
interface Timed {
  timestamp?: string | undefined;
}

/** Now by the server's clock, which its timestamps are compared with; by this machine's where the answer does not say. */
export function serverNowMs({ timestamp }: Timed): number {
  const serverMs = Date.parse(timestamp ?? '');
  return Number.isNaN(serverMs) ? Date.now() : serverMs;
}

/** A session as `GET /api/sessions` lists it. */
export interface ListedSession extends Pick<
  SessionState,
  'session_id' | 'created_at' | 'updated_at' | 'status' | 'current_skill' | 'progress' | 'seq' | 'orchestrator'
> {
  watchers: number;
  /** How many connections publish to it. */
  producers: number;
  open_decisions: number;
}

const listedSession = z.looseObject({
  session_id: text,
  updated_at: text,
  status: text,
  current_skill: textOrNull,
  progress: z.number().nullable(),
  seq: z.number(),
  orchestrator: attachment,
  watchers: z.number(),
  producers: z.number(),
  open_decisions: z.number(),
});

/** `GET /api/sessions`. */
export const sessionListAnswer = typed<{ sessions: ListedSession[] } & Timed>()(
  z.looseObject({ sessions: z.array(listedSession), ...timed }),
);

/** `GET /api/sessions/ID`. */
export const sessionAnswer = typed<SessionState & { epoch: string }>()(
  z.looseObject({
    session_id: text,
    status: text,
    seq: z.number(),
    epoch: text,
    halt: z.looseObject({ by: textOrNull, reason: textOrNull }).nullable(),
    decisions: z.array(z.looseObject({ decision_id: text, status: text })),
  }),
);

/** `GET /api/sessions/ID/events`, as far as places in the history go. */
export const eventPlacesAnswer = z.looseObject({ events: z.array(z.looseObject({ seq: z.number() })), next: z.number() });

/** `POST /api/sessions/ID/events`. */
export const publishedAnswer = typed<PublishedMessage>()(z.looseObject({ epoch: text, first_seq: z.number(), last_seq: z.number() }));

/** A decision as the server tells it; open ones come with a way to answer them. */
export interface AskedDecision extends DecisionState, Timed {
  session_id: string;
  answer_path?: string;
}

/** `GET /api/sessions/ID/decisions/ID`. */
export const decisionAnswer = typed<AskedDecision>()(
  z.looseObject({
    session_id: text,
    decision_id: text,
    question: text,
    options: z.array(z.looseObject({ id: text })),
    default: textOrNull,
    deadline: textOrNull,
    status: text,
    choice: textOrNull,
    made_by: textOrNull,
    comment: textOrNull,
    answer_path: text.optional(),
    ...timed,
  }),
);

/** `GET /api/sessions/ID/commands`. */
export const commandListAnswer = typed<{ commands: CommandState[]; total: number } & Timed>()(
  z.looseObject({
    ...timed,
    total: z.number(),
    commands: z.array(
      z.looseObject({
        command_id: text,
        command_type: text,
        status: text,
        by: textOrNull,
        parameters: z.record(text, z.unknown()),
        error: textOrNull,
        acknowledged_by: textOrNull,
        delivered_to: textOrNull,
        created_at: text,
      }),
    ),
  }),
);

const commandResult = z.looseObject({
  command_type: text,
  command_id: text,
  session_id: text,
  status: text,
  elapsed_ms: z.number(),
  acknowledged_by: text.optional(),
  attached: z.boolean(),
  message: text.optional(),
  error: text.optional(),
  code: text.optional(),
});

/** `POST /api/sessions/ID/commands`; of `*`, a result for each session. */
export const commandAnswer = typed<CommandResult | CommandResults>()(
  z.union([z.looseObject({ command_type: text, results: z.array(commandResult), elapsed_ms: z.number() }), commandResult]),
);

/** `GET /api/stats`. */
export const statsAnswer = z.looseObject({
  ...timed,
  total_connections: z.number(),
  version: text,
  uptime_seconds: z.number(),
  events_total: z.number(),
  events_per_second: z.number(),
  publish: z.looseObject({ p50_ms: z.number().nullable(), p99_ms: z.number().nullable() }),
  orchestrators: z.number(),
  ends_when_unused: z.boolean().optional(),
  /** Where it is kept is told to callers on the server's machine only. */
  journal: z.looseObject({ location: text.optional(), size_bytes: z.number() }),
});

/** A schema that looks at some of the fields of an answer, for the whole of it. */
function typed<Answer>() {
  return (schema: z.ZodType): z.ZodType<Answer> => schema as z.ZodType<Answer>;
}
