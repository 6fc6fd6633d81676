import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import type { AnswerOf } from '../../core/http-api.ts';
import { callApi } from '../../client/sessions-api.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { linkPlace } from '../../view/text/link-place.ts';
import { timeLeft } from '../../view/text/numbers.ts';
import { shown } from '../../view/text/shown-text.ts';
import { copyText } from '../parts/copy.ts';
import { Modal } from '../parts/modal.tsx';

const timeoutMs = 10_000;
const hourMs = 3_600_000;

/** How long a link can be made to hold. */
const lives: readonly [name: string, ms: number][] = [
  ['an hour', hourMs],
  ['eight hours', 8 * hourMs],
  ['a day', 24 * hourMs],
  ['a week', 7 * 24 * hourMs],
  ['30 days', 30 * 24 * hourMs],
];

/** The links that were good at a time. */
interface Known {
  shares: AnswerOf<'shares'>['shares'];
  /** Where they are good, if not everywhere. */
  place: string;
  atMs: number;
}

interface ShareDialogProps {
  url: string;
  session: string;
  /** The moment of the past that is shown: the link leads there. */
  at: number | undefined;
  onClose: () => void;
}

/** Links by which somebody else watches this session: makes one, shows it once, and revokes those that there are. */
export function ShareDialog({ url, session, at, onClose }: ShareDialogProps): ReactNode {
  const [lifeMs, setLifeMs] = useState(24 * hourMs);
  const [link, setLink] = useState('');
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState('');
  const [known, setKnown] = useState<Known>({ shares: [], place: '', atMs: 0 });
  useEffect(() => {
    let isLeft = false;
    sharesOf(url, session)
      .then((each) => !isLeft && setKnown(each))
      .catch((error: unknown) => !isLeft && setProblem(reasonOf(error)));
    return () => {
      isLeft = true;
    };
  }, [url, session]);

  const act = async (what: () => Promise<unknown>): Promise<void> => {
    setProblem('');
    try {
      await what();
      setKnown(await sharesOf(url, session));
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  const make = (event: FormEvent): void => {
    event.preventDefault();
    void act(async () => {
      const { share_url } = await callApi('share', { path: { id: session }, body: { expires_ms: lifeMs } }, { url, timeoutMs });
      setLink(new URL(at === undefined ? share_url : `${share_url}/${at}`, url).href);
      setSaid('');
    });
  };
  const revoke = (share: string): void => {
    void act(() => callApi('revokeShare', { path: { id: session, share } }, { url, timeoutMs }));
  };
  return (
    <Modal title="Share this session" onClose={onClose}>
      <p>A link works once, in one browser, which then watches this session and can do nothing else. It ends with your own token.</p>
      {known.place === '' ? null : <p className="tone-warn">{known.place}</p>}
      <form className="buttons" onSubmit={make}>
        <label className="field-inline">
          It holds for
          <select data-first value={lifeMs} onChange={(event) => setLifeMs(Number(event.target.value))}>
            {lives.map(([name, ms]) => (
              <option key={ms} value={ms}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="primary">
          Make a link
        </button>
      </form>
      <p role="alert" className="tone-bad">
        {problem}
      </p>
      {link === '' ? null : (
        <p className="buttons">
          <input type="text" className="shared" readOnly value={link} aria-label="The link" onFocus={(event) => event.target.select()} />
          <button
            type="button"
            onClick={() => void copyText(link).then((isCopied) => setSaid(isCopied ? 'Copied' : 'The browser does not let the page copy'))}
          >
            Copy
          </button>
          <span role="status" className="muted">
            {said}
          </span>
        </p>
      )}
      {known.shares.length === 0 ? null : (
        <>
          <h3>Links that are good now</h3>
          <ul className="links-made">
            {known.shares.map(({ id, by, expires_at, opened }) => (
              <li key={id}>
                <span>
                  {`by ${shown(by, 40)}, ${opened ? 'opened' : 'not opened yet'}, ends in ${timeLeft(Math.max(0, Date.parse(expires_at) - known.atMs))}`}
                </span>
                <button type="button" className="quiet" aria-label={`Revoke the link ${id}`} onClick={() => revoke(id)}>
                  Revoke
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Modal>
  );
}

async function sharesOf(url: string, session: string): Promise<Known> {
  const [{ shares }, { servers }] = await Promise.all([
    callApi('shares', { path: { id: session } }, { url, timeoutMs }),
    callApi('health', {}, { url, timeoutMs }),
  ]);
  return { shares, place: linkPlace(servers), atMs: Date.now() };
}
