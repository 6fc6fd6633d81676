import type { ReactNode } from 'react';
import type { Span } from '../../view/cells.ts';
import { toneClass } from './spans.tsx';

/** Why there is nothing to show yet, and what to do next; an indented line is a command to type. */
export function EmptyState({ lines }: { lines: readonly Span[] }): ReactNode {
  const said = lines.filter(({ text }) => text !== '');
  return (
    <div className="empty">
      {said.map(({ text, tone = 'plain' }) =>
        text.startsWith('  ') ? (
          <pre key={text} className="command">
            {text.trim()}
          </pre>
        ) : (
          <p key={text} className={toneClass(tone)}>
            {text}
          </p>
        ),
      )}
    </div>
  );
}
