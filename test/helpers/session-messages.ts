const names = new Set([
  'connected',
  'subscribed',
  'session:state',
  'session:created',
  'session:deleted',
  'session:gap',
  'server:shutdown',
  'server:error',
  'pong',
  'command:result',
  'command:execute',
  'orchestrator:superseded',
]);

/** Whether a message of the server is no event of a journal. */
export function isSessionMessage(name: string): boolean {
  return names.has(name);
}
