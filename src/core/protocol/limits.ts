/** Every bound of the protocol in one place. Counts are numbers of things; sizes are bytes or characters as named. */
export const limits = {
  /** Version of the protocol, sent in `connected`. */
  protocol: 4,
  /** Characters of an id, and of the type of an event. */
  idChars: 128,
  /** Bytes of one event, as JSON. */
  eventBytes: 1024 * 1024,
  /** Bytes of one request, or of one message of Socket.IO. */
  requestBytes: 4 * 1024 * 1024,
  /** Events in one `publish`. */
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
  unreadMs: 6_000,
  /** The same where the system does not tell what the other end of a connection has taken: macOS, Windows. */
  unreadUntoldMs: 30_000,
  /** The same while others wait for room. As `waitingBytes` fill up, the time goes down to this. */
  unreadUnderPressureMs: 2_000,
  /** Sessions of one server. */
  sessions: 10_000,
  /** Folded sessions kept in memory; others are folded again from their snapshot when asked for. */
  foldedSessions: 500,
  /** With less than this free on the disk of its journal a server says that the disk is nearly full. */
  lowDiskBytes: 256_000_000,
  /** Session states sent to a watcher of all sessions when it joins: those that changed last. */
  joinStates: 200,
  /** How long a client waits until it has joined all sessions: it is sent all those states before. */
  joinMs: 120_000,
  /** Recordings that are imported at a time. */
  imports: 4,
  /** Sessions in one file of recordings. */
  importedSessions: 10_000,
  /** Tenants of a server. */
  tenants: 100,
  /** Tokens of a server. */
  tokens: 10_000,
  /** Globs over session ids of one token. */
  tokenSessions: 32,
  /** Bytes of the file with the tokens of a server. */
  tokenFileBytes: 16 * 1024 * 1024,
  /** Globs over event types in one subscription. */
  eventTypeGlobs: 32,
  /** Characters of such a glob. */
  eventTypeGlobChars: 128,
  /** Subscriptions of one connection. */
  subscriptionsPerConnection: 100,
  /** Sessions that one connection counts as a producer of. Of further ones, only their last event tells that the producer is there. */
  producedSessions: 1_000,
  /** Events in one answer with the history of a session. */
  historyEvents: 10_000,
  /** The headers of a request must be whole so long after it began. */
  headersMs: 10_000,
  /** The whole of a request must. An import may take as long as it likes, while its next piece comes within this time. */
  requestMs: 60_000,
  /** Bytes of one command, as JSON. */
  commandBytes: 64 * 1024,
  /** How long the answer to a command waits for its end, where the command does not say `timeout_ms`. */
  commandTimeoutMs: 5_000,
  /** The longest `timeout_ms`. */
  commandTimeoutMaxMs: 10 * 60_000,
  /** A command that no orchestrator has taken for so long expires. */
  commandExpiryMs: 60 * 60_000,
  /** A session without an orchestrator is lost when its last event is so old (`serve --lost-after`). */
  lostAfterMs: 5 * 60_000,
  /** Requests of one client that wait for their answers, but for events that wait for their commit. */
  requestsUnderWay: 1_000,
  /** Clients' requests that wait for the end of commands, over all connections. */
  commandWaiters: 10_000,
  /** What waits for its turn in one session: commands, attachments. */
  serialWork: 5_000,
  /** Commands of one session that have not ended. */
  unfinishedCommands: 100,
  /** How many HALT, RESUME and DECISION are taken beyond that. */
  unfinishedUrgentCommands: 50,
  /** How many refused commands of a session are journalled at once. */
  journalledRefusals: 20,
  /** Then one more is journalled each time that so long has passed. */
  journalledRefusalMs: 3_000,
  /** Labels of one session. */
  labels: 20,
  /** Steps of one ROLLBACK. */
  rollbackSteps: 1_000,
  /** Milliseconds that a STOP gives a program to end by itself, where it does not say. */
  stopGraceMs: 10_000,
  /** The most milliseconds that a STOP can give. */
  stopGraceMaxMs: 600_000,
  /** Options of one decision. */
  decisionOptions: 100,
  /** Characters of the text of a `message:user` or `message:assistant`. */
  messageChars: 100_000,
  /** Paths in each list of a `file:changed`. */
  changedPaths: 500,
} as const;

/**
 * What holds for callers that show a token, and for those that should and do not. Processes of the server's own user that need no
 * token are not counted, and neither are the commands and events of an admin.
 */
export const accessLimits = {
  /** How long a connection lasts whose caller needs a token and has shown none. */
  loginMs: 5_000,
  /** Bytes of headers, of a body, or of messages that are read of such a caller. */
  loginBytes: 16 * 1024,
  /** Such connections of one address. The addresses of one network of IPv6 (/64) count as one. */
  unknownConnectionsPerAddress: 250,
  /** Such connections in all; at most half of those that the server can hold. */
  unknownConnections: 1_000,
  /** Open connections of one address. */
  connectionsPerAddress: 5_000,
  /** The period that the next four rows are counted in. */
  periodMs: 5_000,
  /** Connections of Socket.IO, and requests without a token, of one address. */
  handshakes: 5_000,
  /** Commands of one token. */
  commands: 100,
  /** Events of one token. */
  events: 250_000,
  /** Bytes of these events, as JSON. */
  publishedBytes: 64 * 1024 * 1024,
  /** Dear reads of one token at a time: an earlier state (`?at=`), a long history, a list of thousands, a backup. */
  dearReads: 4,
  /** Links to sessions of one token. */
  shares: 100,
  /** How long a link to a session can last. */
  shareMs: 30 * 24 * 60 * 60_000,
  /** A history of more events is long, and a list of more sessions too. */
  cheapRows: 1_000,
  /** Tokens that are not valid, of one address or with one id, until its next ones are not looked at for a while. */
  failedTokens: 20,
  /** Failed tokens are forgotten after so long. */
  failedTokensMs: 15 * 60_000,
  /** From then on each failure doubles the wait, which begins with a second and becomes no longer than this. */
  longestBackOffMs: 15 * 60_000,
} as const;

/** What holds for agents that ask by MCP: an answer has to fit in what a model reads at once. */
export const mcpLimits = {
  /** Bytes, as JSON, of what sessions tell in one answer. */
  answerBytes: 24 * 1024,
  /** The same of one event in it. */
  eventBytes: 8 * 1024,
  /** Sessions in one answer. */
  sessions: 100,
  /** Events in one answer. */
  events: 200,
  /** How long one call of a tool waits: clients give up after a minute. */
  waitMs: 50_000,
  /** Calls of tools that wait, over all callers of a server. */
  waits: 1_000,
  /** How long a question may wait for its answer until its default is taken. */
  questionMs: 7 * 24 * 3_600_000,
} as const;

/** Bounds of notifications, wherever they go. */
export const notificationLimits = {
  /** Targets of a server. */
  targets: 20,
  /** Events that wait to be told to one target. Older ones are let go, and the next notification says how many. */
  waiting: 500,
  /** What comes within so long of the first is told with it. */
  collectMs: 1_000,
  /** Notifications of one target in a minute. What comes meanwhile is told together, type by type. */
  perMinute: 10,
  /** Characters of a title. */
  titleChars: 120,
  /** Characters of a line. */
  lineChars: 300,
  /** Characters of an option of a question. */
  optionChars: 50,
  /** Events of a notification that have a line of their own, and options of a question that are named. */
  lines: 5,
  /** Events of a notification that a webhook is told. */
  events: 50,
  /** How long a target may take to answer. */
  answerMs: 10_000,
  /** A failed notification is tried again after so long, then after twice as long, and so on. */
  firstRetryMs: 1_000,
  /** The longest time between two tries, but for a target that asks for more. */
  longestRetryMs: 5 * 60_000,
  /** The longest time that a target can ask for (`Retry-After`). */
  longestAskedRetryMs: 60 * 60_000,
  /** What could not be told for so long is let go. */
  giveUpMs: 24 * 60 * 60_000,
} as const;

/** Bounds of one session's folded state. What is let go is counted in `let_go`. */
export const foldLimits = {
  /** Steps, the newest. */
  skills: 500,
  /** Agents. */
  agents: 200,
  /** Files that have changed. */
  files: 500,
  /** Decisions. */
  decisions: 200,
  /** Checks. */
  validations: 100,
  /** Lines of one check's output, the last ones. */
  validationLines: 20,
  /** Checkpoints. */
  checkpoints: 200,
  /** Commands. */
  commands: 200,
  /** Skills whose use is counted by name. */
  skillUsage: 100,
  /** Tool calls: those under way, and the newest of the others. */
  tools: 100,
  /** Tools that are counted by name. What others use is in the totals only; so it is with models and agents. */
  toolUsage: 100,
  /** Models whose use is counted by name. */
  usageByModel: 20,
  /** Agents whose use is counted by name. */
  usageByAgent: 200,
  /** Days of which the state tells what happened, the newest. */
  rollupDays: 90,
  /** Skills of one day that are counted by name, and as many roles, and models; the others are counted together. */
  rollupNames: 30,
  /** Lengths of time that are told apart of one thing on one day. */
  rollupLengths: 64,
  /** Entries of all days together; where there are more, the older days tell no names. */
  rollupEntries: 10_000,
  /** Characters kept of a text in the state; the journal keeps the whole. */
  textChars: 2_000,
  /** Characters of JSON kept of a free value (`result`, `context`, ...) in the state. */
  valueChars: 4_096,
  /** The same for the parameters of an unfinished command, which may be as large as a command. */
  parametersChars: 128 * 1024,
} as const;

/** Bounds of what is journalled of a coding agent, and of what the server holds for agents. */
export const agentLimits = {
  /** Characters of a prompt, or of what an agent said. */
  messageChars: 20_000,
  /** Characters of one text in the input or the result of a tool call: a command line, the content of a file. */
  toolTextChars: 2_000,
  /** Fields, or entries, of one object or list in them. */
  toolFields: 50,
  /** Levels of objects and lists in them. */
  toolDepth: 6,
  /** Characters of the JSON of one input or result. */
  toolChars: 16_000,
  /** Characters of a text that an agent's model is to read. */
  toldChars: 9_000,
  /** Characters of one plan, or of one question. */
  questionChars: 8_000,
  /** Sessions of agents that the server attends at a time; the one that was silent for longest makes room. */
  attended: 1_000,
  /** Hooks that are held at a time, of one session. */
  heldHooks: 100,
  /** A session of an agent whose process is not known is left after so long a silence; its next hook attaches it again. */
  silenceMs: 30 * 60_000,
  /** How long a call waits for the checkpoint before it. What it changes before a file is read is not kept. */
  checkpointMs: 20_000,
  /** How often the server looks whether the agents' processes are there. */
  lookMs: 2_000,
} as const;
