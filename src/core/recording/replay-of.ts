/** The field of a session's metadata that says of which other one it is a replay. */
export const replayOf = 'replay_of';

/** Whether a session is a replay: what happens in it happened in another one. */
export function isReplay({ metadata }: { metadata?: Record<string, unknown> | undefined }): boolean {
  return metadata?.[replayOf] !== undefined;
}
