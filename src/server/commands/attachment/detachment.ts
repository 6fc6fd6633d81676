/** Why an orchestrator is attached no more: a code for programs, and the same in words. */
export interface Detachment {
  code: 'left' | 'connection_lost' | 'no_answer' | 'closed_by_server' | 'server_restarted';
  reason: string;
}

/** The server that held the connection is gone. */
export const serverRestarted: Detachment = { code: 'server_restarted', reason: 'the server was restarted' };
