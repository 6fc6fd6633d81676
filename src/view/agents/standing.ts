import type { SessionState } from '../../core/protocol/session-state.ts';
import { isWaiting } from './agent-session.ts';
import type { Span } from '../cells.ts';
import { statusSpan } from '../status-line.ts';
import type { Style } from '../style.ts';

/** Sign and word of how a session stands: as its status, but for an agent that waits for a person. */
export function standingSpan(state: SessionState, style: Style): Span {
  return isWaiting(state) ? { text: `${style.glyphs.waiting} WAITS`, tone: 'warn' } : statusSpan(state.status, style);
}
