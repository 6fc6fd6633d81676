/** Every bound of the protocol in one place. Counts are numbers of things; sizes are bytes or characters as named. */
export const limits = {
  /** Version of the protocol, sent in `connected`. */
  protocol: 4,
  idChars: 128,
  eventBytes: 1024 * 1024,
  requestBytes: 4 * 1024 * 1024,
  publishEvents: 1_000,
  /** Levels of lists and objects in one event or command. */
  nesting: 500,
  /** Objects, lists and fields in one request: parsing more could hold up everybody. */
  requestParts: 150_000,
  /** Packets in one payload of a client that polls. */
  payloadPackets: 10_000,
  /** Requests that wait for the answers before them on one HTTP connection. */
  pipelinedRequests: 2_000,
  /** Waiting bytes of one connection beyond which it is cut as a slow consumer. */
  backlogBytes: 1024 * 1024,
  /** Bytes that may wait to be read over all connections before what can wait has to. */
  waitingBytes: 32 * 1024 * 1024,
  /** What is read of a history at a time. */
  pieceBytes: 64 * 1024,
  /** The server disconnects a reader that takes nothing of what waits for it for so long. */
  unreadMs: 30_000,
  /** The same while other readers wait for room. */
  unreadUnderPressureMs: 2_000,
  sessions: 10_000,
  /** Folded sessions kept in memory; others are folded again from their snapshot when asked for. */
  foldedSessions: 500,
  /** Session states sent to a watcher of all sessions when it joins: those that changed last. */
  joinStates: 200,
  /** How long a client waits until it has joined all sessions: it is sent all those states before. */
  joinMs: 120_000,
  eventTypeGlobs: 32,
  eventTypeGlobChars: 128,
  subscriptionsPerConnection: 100,
  /** Sessions that one connection counts as a producer of. Of further ones, only their last event tells that the producer is there. */
  producedSessions: 1_000,
  historyEvents: 10_000,
  commandBytes: 64 * 1024,
  commandTimeoutMs: 5_000,
  commandTimeoutMaxMs: 10 * 60_000,
  commandExpiryMs: 60 * 60_000,
  /** A session without an orchestrator is lost when its last event is so old. */
  lostAfterMs: 5 * 60_000,
  /** Requests of one client that wait for their answers, but for events that wait for their commit. */
  requestsUnderWay: 1_000,
  /** Clients' requests that wait for the end of commands, over all connections. */
  commandWaiters: 10_000,
  /** What waits for its turn in one session: commands, attachments. */
  serialWork: 5_000,
  unfinishedCommands: 100,
  /** How many HALT, RESUME and DECISION are taken beyond that. */
  unfinishedUrgentCommands: 50,
  /** How many refused commands of a session are journalled at once; after that, one in `journalledRefusalMs`. */
  journalledRefusals: 20,
  journalledRefusalMs: 3_000,
  rollbackSteps: 1_000,
  decisionOptions: 100,
  /** Characters of the text of a `message:user` or `message:assistant`. */
  messageChars: 100_000,
  /** Paths in each list of a `file:changed`. */
  changedPaths: 500,
} as const;

/** Bounds of one session's folded state. What is let go is counted in `let_go`. */
export const foldLimits = {
  skills: 500,
  agents: 200,
  files: 500,
  decisions: 200,
  validations: 100,
  validationLines: 20,
  checkpoints: 200,
  commands: 200,
  skillUsage: 100,
  /** Tool calls: those under way, and the newest of the others. */
  tools: 100,
  /** Tools, models and agents that are counted by name. What others use is in the totals only. */
  toolUsage: 100,
  usageByModel: 20,
  usageByAgent: 200,
  /** Characters kept of a text in the state; the journal keeps the whole. */
  textChars: 2_000,
  /** Characters of JSON kept of a free value (`result`, `context`, ...) in the state. */
  valueChars: 4_096,
  /** The same for the parameters of an unfinished command, which may be as large as a command. */
  parametersChars: 128 * 1024,
} as const;
