import { useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { AnalyticsPage } from './analytics/analytics-page.tsx';
import { useKeys } from './keys/use-keys.ts';
import { OverviewPage } from './overview/overview-page.tsx';
import { EmptyState } from './parts/empty-state.tsx';
import { Help } from './parts/help.tsx';
import { SignIn } from './parts/sign-in.tsx';
import { toneClass } from './parts/spans.tsx';
import { TopBar } from './parts/top-bar.tsx';
import { SessionPage } from './session/session-page.tsx';
import type { PageStore } from './store/page-store.ts';
import type { ViewModel } from '../view/view-model.ts';

/** The page: what the store knows, drawn anew after each change. */
export function App({ store }: { store: PageStore }): ReactNode {
  useSyncExternalStore(store.subscribe, store.read);
  const [helps, setHelps] = useState(false);
  useKeys({ '?': () => setHelps(true) });
  // Who is let in no more sees nothing that was: it is told, and nothing is offered.
  const { failure } = store.connection ?? {};
  const isOut = store.identity === null || failure?.code === 'UNAUTHENTICATED';
  const model = isOut ? undefined : store.model();
  const pending = model === undefined ? 0 : store.pending(model);
  useTitle(isOut ? undefined : store.route.session, pending);
  const { notice } = store;
  return (
    <>
      <TopBar store={store} model={model} onHelp={() => setHelps(true)} />
      {isOut ? <SignIn url={store.url} was={store.identity?.by} /> : <Body store={store} model={model} />}
      <p className="unseen" role="status">
        {pending === 0 ? '' : pending === 1 ? 'A decision waits' : `${pending} decisions wait`}
      </p>
      <div className="notices" role="status" aria-live="polite">
        {notice === undefined ? null : (
          <p key={notice.number} className={`notice ${toneClass(notice.tone)}`}>
            {notice.text}
          </p>
        )}
      </div>
      {helps && model !== undefined ? <Help onClose={() => setHelps(false)} /> : null}
    </>
  );
}

function Body({ store, model }: { store: PageStore; model: ViewModel | undefined }): ReactNode {
  const { identity, route } = store;
  if (identity === undefined) {
    return (
      <main>
        <EmptyState lines={[{ text: `Connecting to ${store.url} ...` }]} />
      </main>
    );
  }
  if (model === undefined) return null;
  return (
    <main>
      {route.analytics === true ? (
        <AnalyticsPage store={store} />
      ) : route.session === undefined ? (
        <OverviewPage store={store} model={model} />
      ) : (
        <SessionPage key={route.session} store={store} model={model} session={route.session} />
      )}
    </main>
  );
}

/** The title and the icon of the tab tell of decisions that wait. */
function useTitle(session: string | undefined, pending: number): void {
  useEffect(() => {
    document.title = `${pending > 0 ? `(${pending}) ` : ''}${session === undefined ? '' : `${session} · `}shannon-dash`;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon === null) return;
    icon.dataset['calm'] ??= icon.href;
    const wanted = (pending > 0 ? icon.dataset['alert'] : icon.dataset['calm']) ?? icon.href;
    if (icon.href !== wanted) icon.href = wanted;
  }, [session, pending]);
}
