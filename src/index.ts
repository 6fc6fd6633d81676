/// <reference lib="esnext.disposable" preserve="true" />

/** The SDK: publish what a program does, watch it, steer it. Loads neither the server nor the dashboard. */
export { connectOperator, type Operator } from './client/operator.ts';
export { connectOrchestrator } from './client/orchestrator/orchestrator.ts';
export type {
  AgentHandle,
  CheckpointOptions,
  Orchestrator,
  OrchestratorOptions,
  ReceivedCommand,
  SkillContext,
  SkillOptions,
} from './client/orchestrator/orchestrator-contract.ts';
export type { Decided, DecideOptions } from './client/orchestrator/decision-desk.ts';
export { connectPublisher, type Publisher, type PublisherOptions } from './client/orchestrator/publisher.ts';
export { connectWatcher } from './client/watcher/watcher.ts';
export type { Watcher, WatchOptions, WatchUpdate } from './client/watcher/watcher-contract.ts';
export type { ConnectionState, ConnectOptions } from './client/connection/connection.ts';
export type { OutgoingEvent, Problem, Published, PublishOptions } from './client/orchestrator/outbox.ts';
export type { CommandStatus } from './core/protocol/command-status.ts';
export type {
  CancelAnswer,
  CancelRequest,
  CommandFields,
  CommandInput,
  CommandResult,
  CommandResults,
  CommandType,
  ResendInput,
} from './core/protocol/command.ts';
export { type ErrorBody } from './core/protocol/error-answer.ts';
export { ShannonDashError, type ErrorCode, type LocalErrorCode, type WireErrorCode } from './core/protocol/errors.ts';
export type { Cursor, SessionEvent } from './core/protocol/event.ts';
export { matchesGlob } from './core/event-filter.ts';
export type { EventData, KnownEventType } from './core/protocol/event-table.ts';
export { fold, foldAll } from './core/fold/fold.ts';
export { limits } from './core/protocol/limits.ts';
export type { SessionGapMessage } from './core/protocol/messages.ts';
export { initialState, isLive } from './core/protocol/session-state.ts';
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
} from './core/protocol/session-state.ts';
