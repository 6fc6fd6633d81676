import type { MouseEvent, ReactNode } from 'react';
import type { PageStore } from '../store/page-store.ts';
import { pathOf, type Route } from '../store/route.ts';

interface LinkProps {
  store: PageStore;
  to: Route;
  className?: string;
  label?: string;
  /** The session that keys act on while the link has the focus. */
  session?: string;
  children: ReactNode;
}

/** A link within the page: a plain click loads nothing anew, any other does what the browser does with links. */
export function Link({ store, to, className, label, session, children }: LinkProps): ReactNode {
  const onClick = (event: MouseEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    store.go(to);
  };
  return (
    <a href={pathOf(to)} className={className} aria-label={label} data-session={session} onClick={onClick}>
      {children}
    </a>
  );
}
