import type { CommandType } from '../protocol/command.ts';
import type { LocalErrorCode, WireErrorCode } from '../protocol/errors.ts';
import type { KnownEventType } from '../protocol/event-table.ts';
import type { RequestName, ServerMessageName } from '../protocol/messages.ts';
import type { SessionStatus } from '../protocol/session-state.ts';

/** One sentence or more about each type of event. The generated pages and documents have them; nothing else loads them. */
export const eventMeanings: Record<KnownEventType, string> = {
  'execution:started': 'The run begins. `total_steps` lets the state count its progress. `folder` is the name of the working folder.',
  'execution:progress': 'How far the run is, or what has changed of its task, folder, branch and model.',
  'execution:completed': 'The run ended well.',
  'execution:failed': 'The run failed.',
  'execution:lost': 'Nothing was heard of the run for a while, and no orchestrator is attached.',
  'execution:halting': 'The program was told to stop and has not stopped yet.',
  'execution:halted': 'The program stands still.',
  'execution:resumed': 'The program goes on.',
  'execution:rollback': 'The program went back. The event also has the fields of the command.',
  'execution:redirect': 'The program has another goal. The event also has the fields of the command.',
  'skill:started': 'A step begins. `skill_id` tells runs of the same skill apart; without it the name does.',
  'skill:progress': 'How far the step is. One of `skill_name` and `skill_id` is required.',
  'skill:completed': 'The step is done. One of `skill_name` and `skill_id` is required; `duration` is in seconds.',
  'skill:failed': 'The step failed. One of `skill_name` and `skill_id` is required; `duration` is in seconds.',
  'skill:injected': 'A command put a step into the plan.',
  'file:created': 'A file is there.',
  'file:modified': 'A file changed.',
  'file:deleted': 'A file is gone.',
  'file:changed': 'Many files changed at once.',
  'decision:point':
    'The program asks a person. With `timeout_ms` and `default` the server answers at the deadline. With `multiple`, an answer may name several options, with commas between their ids.',
  'decision:made': 'The answer. The first one that names an option counts.',
  'validation:started': 'A check begins.',
  'validation:output': "A line of a check's output.",
  'validation:result': 'A check ended. `duration` is in seconds.',
  'agent:spawned': 'An agent begins to work; `parent_agent_id` is the agent that began it.',
  'agent:progress': 'How far an agent is, and what it has used so far in all.',
  'agent:completed': 'An agent has ended. `duration` is in seconds.',
  'agent:waiting':
    "An agent is idle and asks for a person's attention. Without `agent_id` it is the session's own agent. Its next message, tool call, step or progress ends the waiting.",
  'message:user': 'What a person said to an agent.',
  'message:assistant': 'What an agent said.',
  'tool:started':
    'An agent calls a tool. `tool_id` tells calls of the same tool apart; without it the name does. Tools are not skills: an agent calls tools many times within one step of a plan, and the state counts progress by steps.',
  'tool:completed':
    'The call is done. `duration` is in seconds. `inferred`: nobody said so, but what followed shows that it has ended, well or not.',
  'tool:failed': 'The call failed. `duration` is in seconds.',
  'usage:reported':
    'What was used since the last report. The four numbers of tokens do not overlap. The state has the sums of the session, and of each model and agent. Telemetry says by which `signal` it came and which time it covers: the same usage in another signal is not added. `agent_name` is the kind of an agent whose id is not known.',
  'checkpoint:created': 'A point to come back to.',
  'checkpoint:saved': 'The snapshot of a checkpoint is taken and has so many files.',
  'checkpoint:failed': 'The snapshot of a checkpoint could not be taken.',
  'process:output': 'Lines that the program wrote. `let_go` says how many were left out because they came too fast.',
  'process:screen':
    'What a program has written that uses the whole screen, as it was, `after_ms` after the piece before. `logs --raw` plays it.',
  'run:marked':
    'Somebody put the session away (`archived`): lists leave it out unless they are asked for it; or took it back. Or pinned it (`pinned`), so that retention leaves it alone, or unpinned it.',
  'run:files-let-go': 'So many changes of files came too fast to be told one by one.',
  'journal:lost': 'Stands in the place of an event that can no longer be read.',
  'command:queued': 'A command was accepted. `resend_of` names the one that it sends again.',
  'command:delivered': "The orchestrator's process has the command.",
  'command:applied': 'The orchestrator, or the server itself, has carried the command out.',
  'command:failed': 'The orchestrator could not carry the command out.',
  'command:rejected': 'The command was refused.',
  'command:expired':
    'No orchestrator said in its time that it has the command. `error` tells whether one was sent it: then it may have been carried out.',
  'command:cancelled': 'The command was taken back while it waited for an orchestrator; `cancelled_by` says by whom.',
  'orchestrator:attached':
    'An orchestrator carries out the commands of this session from now on. `server` is the id of the server that holds its connection, `term` the `seq` of its attachment, `under` the instance that supervises it, `owner` the name of the token that attached it, `lease` the SHA-256 of the secret that it was given; `again` says that it was there already, and tells which commands it carries out now.',
  'orchestrator:detached': 'The orchestrator left (`code` is `left`), or its connection was lost.',
};

/** What each command does. */
export const commandMeanings: Record<CommandType, string> = {
  HALT: 'The program stops at its gate; `run` stops its whole process tree.',
  RESUME: 'The program goes on.',
  ROLLBACK: 'The program goes back to a checkpoint; a `dry_run` only tells what would change. Without a checkpoint it is one step.',
  REDIRECT: 'The program gets another goal. One of `target_skill` and `target_path` is required.',
  DECISION: 'Answers a question.',
  INJECT: 'Puts a step into the plan.',
  STOP: 'The program ends, with everything that it has started: asked to (SIGTERM), and by force after `grace_ms`.',
};

/** What each request of a Socket.IO client does. */
export const requestMeanings: Record<RequestName, string> = {
  subscribe: 'Follows a session; without `session_id`, every session. The answer also comes as the message `subscribed`.',
  unsubscribe: 'Ends a subscription.',
  publish: 'Publishes events of one session. The answer comes once the journal holds them; where one event is wrong, all are refused.',
  cli_event: 'The older way to publish one event, which is never refused for its data.',
  command: 'Sends a command. `session_id` is `*` for every live session. The answer also comes as the message `command:result`.',
  'command:resend':
    'Sends a command again that ended without being applied, as a new one with the same fields. `resend_of` names the old one, `command_id` the new one.',
  'command:cancel': 'Takes a command back that waits for an orchestrator. One that was given to an orchestrator is not taken back.',
  'command:update': 'The orchestrator says that it has carried a command out, or could not.',
  'orchestrator:attach':
    "Carries out the commands of a session from now on. The answer has its state, the commands that have not ended, and a `lease`: a secret that proves later that the attachment is this client's.",
  ping: 'Measures the round trip. The answer also comes as the message `pong`.',
};

/** When the server sends each message. */
export const messageMeanings: Record<ServerMessageName, string> = {
  connected: 'First, once a client has connected.',
  subscribed: 'When a subscription begins.',
  events: 'New events in order, for a subscription with `batch`.',
  'session:state': 'When a watcher joins without a cursor, after a gap, and when a session is created.',
  'session:gap': 'When the events after a cursor are not to be had any more.',
  'session:created': 'When a session is created.',
  'session:deleted': 'When a session is deleted with its journal.',
  'command:execute': 'A command for an orchestrator, with the fields of its type. The orchestrator acknowledges it.',
  'orchestrator:superseded': 'To an orchestrator whose session another one has taken.',
  'server:shutdown': 'Before the server ends.',
};

/** What each status of a session says. */
export const statusMeanings: Record<SessionStatus, string> = {
  created: 'The session is known and nothing has happened in it.',
  running: 'Its first event came that is no `command:*`, no `orchestrator:*` and no part of a halt.',
  halting: 'The program was told to stop.',
  halted: 'The program stands still.',
  lost: 'Nothing was heard of it for a while and no orchestrator is attached. Its next event gives it the status that it had before.',
  completed: 'It ended well.',
  failed: 'It failed.',
};

/** What each error says. */
export const errorMeanings: Record<WireErrorCode | LocalErrorCode, string> = {
  INVALID: 'A field is wrong; the error names it by its path.',
  UNAUTHENTICATED: 'The server asks for a token.',
  FORBIDDEN: 'The origin, the host or the role is not allowed, or the orchestrator of the session was attached with another token.',
  NOT_FOUND: 'There is no such session, command, decision, skill or route.',
  CONFLICT: 'It contradicts what is: an id with other content, a decision that was made.',
  SUPERSEDED: 'Another orchestrator has taken the session.',
  GONE: 'Retention has taken the events before that place; `details.first_available` is the first that is left.',
  TOO_LARGE: 'The event or the request is too large.',
  UNSUPPORTED: 'The body is of a type that is not read.',
  LIMIT_REACHED: 'There are too many of something; some have to end first. With `retry_after_ms`: after that time.',
  INTERNAL: 'The server made a mistake; its log says which.',
  JOURNAL_FAILED: 'The journal cannot be written; send the same again later, with the same id.',
  UNAVAILABLE: 'The server is stopping.',
  UNREACHABLE: 'No server answers at the address.',
  TIMEOUT: 'The request was sent and no answer came in time: its outcome is not known.',
};
