/** The SDK: publish what a program does, watch it, steer it. Loads neither the server nor the dashboard. */
export { connectOperator, type Operator } from './client/operator.ts';
export {
  connectOrchestrator,
  type AgentHandle,
  type CheckpointOptions,
  type Orchestrator,
  type OrchestratorOptions,
  type ReceivedCommand,
  type SkillContext,
  type SkillOptions,
} from './client/orchestrator.ts';
export type { Decided, DecideOptions } from './client/decision-desk.ts';
export { connectPublisher, type Publisher, type PublisherOptions } from './client/publisher.ts';
export { connectWatcher, type Watcher, type WatchOptions, type WatchUpdate } from './client/watcher.ts';
export type { ConnectionState, ConnectOptions } from './client/connection.ts';
export type { OutgoingEvent, Problem, Published, PublishOptions } from './client/outbox.ts';
export type { CommandFields, CommandInput, CommandResult, CommandResults, CommandStatus, CommandType } from './core/command.ts';
export { ShannonDashError, type ErrorBody, type ErrorCode } from './core/errors.ts';
export type { Cursor, SessionEvent } from './core/event.ts';
export { matchesGlob } from './core/event-filter.ts';
export type { EventData, KnownEventType } from './core/event-table.ts';
export { fold, foldAll } from './core/fold.ts';
export { limits } from './core/limits.ts';
export type { SessionGapMessage } from './core/messages.ts';
export { initialState, isLive } from './core/session-state.ts';
export type {
  AgentState,
  CheckpointState,
  CommandState,
  DecisionOption,
  DecisionState,
  FileState,
  OrchestratorState,
  SessionOrigin,
  SessionState,
  SessionStatus,
  SkillState,
  SkillUsage,
  ValidationState,
} from './core/session-state.ts';
