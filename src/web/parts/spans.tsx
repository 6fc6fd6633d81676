import type { ReactNode } from 'react';
import type { Span, Tone } from '../../view/cells.ts';

/** Several sentences, one after the other. */
export function Sentences({ spans }: { spans: readonly Span[] }): ReactNode {
  return spans.map((span, at) => (
    // They have no names, and stand anew with each picture.
    // oxlint-disable-next-line react/no-array-index-key
    <span key={at} className={`sentence ${toneClass(span.tone ?? 'plain')}`}>
      {span.text.trim()}
    </span>
  ));
}

/** The class of a tone. */
export function toneClass(tone: Tone): string {
  return `tone-${tone}`;
}
