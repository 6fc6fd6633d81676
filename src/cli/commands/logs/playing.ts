import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '../../../core/protocol/limits.ts';
import type { SessionState } from '../../../core/protocol/session-state.ts';
import { PlayableText } from '../../../core/text/playable-text.ts';
import { usageFailure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { screenType } from '../../server-access/program-output.ts';
import { request } from '../../server-access/server-request.ts';

/** A longer pause is shortened to this. */
const longestPauseMs = 1_000;
/** Leaves the alternate screen, shows the cursor, and ends all attributes. */
const restored = '\x1b[?1049l\x1b[?25h\x1b[0m\r\n';

/** Plays on the terminal what a full-screen program has written, with its pauses. @throws Failure this is no terminal */
export async function playScreen(state: SessionState, { settings, output, interruption }: Invocation<object>): Promise<void> {
  if (!output.isTerminal || output.isJson) {
    throw usageFailure(
      '--raw plays on a terminal only',
      `as events: shannon-dash watch ${state.session_id} --json --since 0 -f process:screen`,
    );
  }
  const { session_id: id, seq } = state;
  const signal = interruption.hold();
  const playable = new PlayableText();
  let isAny = false;
  try {
    for (let after = 0; after < seq && !signal.aborted;) {
      const query = { after, limit: Math.min(limits.historyEvents, seq - after), types: screenType };
      const { events, next } = await request(settings, 'history', { path: { id }, query });
      for (const { data } of events) {
        const { text, after_ms: afterMs } = data as { text?: unknown; after_ms?: unknown };
        if (typeof text !== 'string') continue;
        if (isAny && typeof afterMs === 'number')
          await wait(Math.min(longestPauseMs, afterMs), undefined, { signal }).catch(() => undefined);
        if (signal.aborted) break;
        isAny = true;
        process.stdout.write(playable.next(text));
      }
      if (next <= after) break;
      after = next;
    }
  } finally {
    if (isAny) process.stdout.write(restored);
  }
  if (!isAny) output.note(`${id} has used no full screen; its output: shannon-dash logs ${id}`);
}
