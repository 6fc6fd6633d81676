import { useState, type ReactNode } from 'react';
import { pageKeys } from '../keys/page-keys.ts';
import { Notifier } from '../store/notifier.ts';
import { Modal } from './modal.tsx';

/** The keys of the page, and whether it may notify. */
export function Help({ onClose }: { onClose: () => void }): ReactNode {
  const [canAsk, setCanAsk] = useState(Notifier.canAsk);
  return (
    <Modal title="Keys" onClose={onClose}>
      {canAsk ? (
        <p className="buttons">
          <button type="button" onClick={() => void Notification.requestPermission().then(() => setCanAsk(Notifier.canAsk))}>
            Notify me when something needs me
          </button>
          <span className="muted small">while this page is out of sight</span>
        </p>
      ) : null}
      <p className="muted small">The same keys as in shannon-dash watch, where they make sense here.</p>
      {(['everywhere', 'overview', 'session', 'list'] as const).map((place) => (
        <section key={place}>
          <h3>{{ everywhere: 'Everywhere', overview: 'All sessions', session: 'One session', list: 'In a list' }[place]}</h3>
          <dl className="keys">
            {pageKeys
              .filter((each) => each.place === place)
              .map(({ shown, does }) => (
                <div key={shown}>
                  <dt>
                    <kbd>{shown}</kbd>
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
    </Modal>
  );
}
