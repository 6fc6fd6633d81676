import { useEffect, useState, type ReactNode } from 'react';
import type { SessionEvent } from '../../core/protocol/event.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { eventDetail } from '../../view/log/event-detail.ts';
import { timeOfDay } from '../../view/text/numbers.ts';
import { shown } from '../../view/text/shown-text.ts';
import { copyText } from '../parts/copy.ts';
import { Modal } from '../parts/modal.tsx';
import { toneClass } from '../parts/spans.tsx';
import type { PageStore } from '../store/page-store.ts';

interface EventDetailProps {
  store: PageStore;
  session: string;
  seq: number;
  onClose: () => void;
  onMoment: (seq: number) => void;
}

/** An event in full, as the journal has it. */
export function EventDetail({ store, session, seq, onClose, onMoment }: EventDetailProps): ReactNode {
  const [event, setEvent] = useState<SessionEvent>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let isLeft = false;
    store.feed
      ?.event(session, seq)
      .then((found) => {
        if (isLeft) return;
        if (found?.seq === seq) setEvent(found);
        else setProblem('The journal has this event no more.');
      })
      .catch((error: unknown) => !isLeft && setProblem(reasonOf(error)));
    return () => {
      isLeft = true;
    };
  }, [store, session, seq]);

  const [copied, setCopied] = useState('');
  const copy = async (what: string, text: string): Promise<void> => {
    setCopied((await copyText(text)) ? `${what} copied` : 'The browser does not let the page copy');
  };
  return (
    <Modal title={`Event ${seq}`} onClose={onClose} isSide>
      {problem === '' ? null : <p className="tone-bad">{problem}</p>}
      {event === undefined ? (
        problem === '' && <p>Loading ...</p>
      ) : (
        <>
          <p>
            <strong>{shown(event.type)}</strong> <span className="muted">{timeOfDay(Date.parse(event.timestamp))}</span>
          </p>
          <p className="buttons">
            <button type="button" onClick={() => void copy('JSON', JSON.stringify(event, null, 2))}>
              Copy as JSON
            </button>
            <button type="button" onClick={() => void copy('The curl command', curlOf(store.url, session, seq))}>
              Copy as curl
            </button>
            <button type="button" onClick={() => onMoment(seq)}>
              The session at this moment
            </button>
            <span role="status" className="muted">
              {copied}
            </span>
          </p>
          <dl className="detail data">
            {eventDetail(event, store.live).map(([label, value, tone = 'plain'], at) => (
              // A label may stand over many lines.
              // oxlint-disable-next-line react/no-array-index-key
              <div key={at} className={label === '' ? 'goes-on' : undefined}>
                <dt>{label}</dt>
                <dd className={toneClass(tone)}>{value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </Modal>
  );
}

/** The command that fetches the event elsewhere. The name of a session needs no quoting, and the token stays a variable. */
function curlOf(url: string, session: string, seq: number): string {
  return `curl -s -H "Authorization: Bearer $SHANNON_DASH_TOKEN" '${url}/api/sessions/${session}/events?after=${seq - 1}&limit=1'`;
}
