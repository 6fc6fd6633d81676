import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent, type ReactNode } from 'react';
import type { DecisionState } from '../../core/protocol/session-state.ts';
import { graceMs } from '../../view/decision-prompt.ts';
import { contextLines, deadlineText, decisionTitle } from '../../view/panels/decisions-panel.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { Style } from '../../view/style.ts';
import type { PageStore } from '../store/page-store.ts';

interface DecisionCardProps {
  store: PageStore;
  session: string;
  decision: DecisionState;
  place: { index: number; total: number };
  style: Style;
}

/** From this width on two decisions stand side by side: the style has the same number. */
const sideBySidePixels = 1_900;

/**
 * A question that waits for its answer. Nothing is chosen before a person chooses. The oldest one is open, and as many as have room
 * beside it; of the others the question and the deadline are there, and a press opens them.
 */
export function DecisionCard({ store, session, decision, place, style }: DecisionCardProps): ReactNode {
  const { decision_id, multiple, options } = decision;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [comment, setComment] = useState('');
  const [isSending, setIsSending] = useState(false);
  const [isUnfolded, setIsUnfolded] = useState<boolean>();
  const isOpen = isUnfolded ?? place.index < (innerWidth >= sideBySidePixels ? 2 : 1);
  // What was pressed just before the question came was meant for something else.
  const shownAt = useRef(Infinity);
  useEffect(() => {
    if (isOpen) shownAt.current = performance.now();
  }, [isOpen]);
  const maySend = store.maySend('DECISION');
  const deadline = deadlineText(decision, style);
  const context = contextLines(decision);

  const choose = (id: string): void => {
    const others = multiple ? [...chosen].filter((each) => each !== id) : [];
    setChosen(new Set(multiple && chosen.has(id) ? others : [...others, id]));
  };
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (chosen.size === 0) return store.say('Nothing is chosen yet', 'warn');
    if (performance.now() - shownAt.current < graceMs || isSending) return;
    const choice = options.flatMap(({ id }) => (chosen.has(id) ? [id] : [])).join(',');
    const label = options.flatMap((option) => (chosen.has(option.id) ? [shown(option.label, 60)] : [])).join(', ');
    setIsSending(true);
    const result = await store.desk?.send(
      { type: 'DECISION', session_id: session, decision_id, choice, ...(comment.trim() === '' ? {} : { comment }) },
      `"${label}"`,
    );
    // The card goes once the answer is in the journal; until then there is nothing to send again.
    setIsSending(result?.status === 'applied');
  };

  // Esc leaves the question; only the next one leaves the session.
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !(event.target instanceof HTMLElement)) return;
    event.preventDefault();
    event.target.blur();
  };

  return (
    <section className="card decision" aria-label={`Decision: ${shown(decision.question, 200)}`}>
      <details open={isOpen} onToggle={(event) => setIsUnfolded(event.currentTarget.open)}>
        <summary>
          <span className="decision-title">
            <strong>{decisionTitle(decision, place.index, place.total, style)}</strong>
            {deadline === '' ? null : <span className="deadline">{deadline}</span>}
          </span>
          <span className="question">
            {shown(decision.question, 2_000)}
            {multiple ? <span className="muted"> (several may be chosen)</span> : null}
          </span>
        </summary>
        <form onSubmit={(event) => void send(event)} onKeyDown={onKeyDown}>
          <fieldset disabled={!maySend || isSending} aria-label={shown(decision.question, 200)}>
            {context.length === 0 ? null : (
              <pre className="context" tabIndex={0}>
                {context.join('\n')}
              </pre>
            )}
            <div className="options">
              {options.map((option, at) => (
                <label key={option.id} className={chosen.has(option.id) ? 'option chosen' : 'option'}>
                  <input
                    type={multiple ? 'checkbox' : 'radio'}
                    name={`decision-${decision_id}`}
                    data-option={at + 1}
                    checked={chosen.has(option.id)}
                    onChange={() => choose(option.id)}
                  />
                  <span>
                    <span className="option-label">{shown(option.label)}</span>
                    {option.recommended ? <span className="badge">recommended</span> : null}
                    {option.description === null ? null : <span className="muted small block">{shown(option.description, 1_000)}</span>}
                  </span>
                </label>
              ))}
            </div>
            <div className="decision-foot">
              <input
                className="comment"
                type="text"
                maxLength={2_000}
                placeholder="Comment (optional)"
                aria-label="Comment"
                value={comment}
                onChange={(event) => setComment(event.target.value)}
              />
              <button type="submit" className="primary" disabled={chosen.size === 0}>
                {isSending ? 'Sending ...' : 'Send answer'}
              </button>
            </div>
          </fieldset>
          {maySend ? null : <p className="muted small">Your role may look, and not answer.</p>}
        </form>
      </details>
    </section>
  );
}
