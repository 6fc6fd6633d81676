import { useState, type ReactNode } from 'react';
import { connectionSpan } from '../../view/status-line.ts';
import { shown } from '../../view/text/shown-text.ts';
import type { ViewModel } from '../../view/view-model.ts';
import { signOut } from '../store/identity.ts';
import type { PageStore } from '../store/page-store.ts';
import { Link } from './link.tsx';
import { toneClass } from './spans.tsx';

/** The way home, how the connection stands, who looks, and the help. */
export function TopBar({ store, model, onHelp }: { store: PageStore; model: ViewModel | undefined; onHelp: () => void }): ReactNode {
  const { identity } = store;
  const connection = model === undefined ? undefined : connectionSpan(model);
  const isLive = model?.connection.status === 'live' && model.catchingUp === null;
  return (
    <header className="top-bar">
      <Link store={store} to={{ session: undefined, at: undefined }} className="home" label="shannon-dash: all sessions">
        <Mark />
        <span className="name">shannon-dash</span>
      </Link>
      {connection === undefined ? null : (
        <p className={`connection ${toneClass(connection.tone ?? 'plain')}`} title={connection.text}>
          {connection.text}
        </p>
      )}
      {/* Told once when it changes, and not with every tick of a countdown. */}
      <p className="unseen" role="status">
        {model === undefined
          ? ''
          : isLive
            ? 'connected'
            : model.connection.status === 'reconnecting'
              ? 'connection lost, reconnecting'
              : ''}
      </p>
      {identity == null || model === undefined ? null : (
        <Who store={store} by={identity.by} role={identity.role} isLoggedIn={identity.logged_in} />
      )}
      {model === undefined ? null : (
        <button type="button" className="quiet" aria-label="Help" aria-keyshortcuts="?" onClick={onHelp}>
          ?
        </button>
      )}
    </header>
  );
}

interface WhoProps {
  store: PageStore;
  by: string;
  role: string;
  isLoggedIn: boolean;
}

function Who({ store, by, role, isLoggedIn }: WhoProps): ReactNode {
  const [isLeaving, setIsLeaving] = useState(false);
  const leave = (): void => {
    setIsLeaving(true);
    signOut()
      .then(() => location.assign('/'))
      .catch(() => {
        setIsLeaving(false);
        store.say('The server does not answer: you are still logged in', 'bad');
      });
  };
  return (
    <div className="who">
      <span className="muted">{`You are ${shown(by, 60)}, ${role}`}</span>
      {isLoggedIn ? (
        <button type="button" className="quiet" disabled={isLeaving} onClick={leave}>
          Log out
        </button>
      ) : null}
    </div>
  );
}

function Mark(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <rect width="32" height="32" rx="7" className="mark-ground" />
      <path d="M7 21h4l3-10 4 13 3-8h4" className="mark-line" />
    </svg>
  );
}
