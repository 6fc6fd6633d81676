import { useRef, useState, type ReactNode } from 'react';
import { emptyState } from '../../view/empty-state.ts';
import { groupOf, overviewGroups, overviewTotals, passesFilter, type OverviewGroup } from '../../view/overview.ts';
import { count } from '../../view/text/numbers.ts';
import type { SessionSummary, ViewModel } from '../../view/view-model.ts';
import { useKeys } from '../keys/use-keys.ts';
import { EmptyState } from '../parts/empty-state.tsx';
import { Link } from '../parts/link.tsx';
import { Sentences } from '../parts/spans.tsx';
import type { PageStore } from '../store/page-store.ts';
import { SessionRow } from './session-row.tsx';

/** How many sessions are shown at first, and how many more at each press. */
const shownSessions = 100;

/** All sessions, those that need a human first. */
export function OverviewPage({ store, model }: { store: PageStore; model: ViewModel }): ReactNode {
  const { sessions, style } = model;
  const [filter, setFilter] = useState('');
  const [group, setGroup] = useState<OverviewGroup>();
  const [most, setMost] = useState(shownSessions);
  const search = useRef<HTMLInputElement>(null);
  const passing = sessions.filter(({ state }) => passesFilter(state, filter));
  const chosen = passing.filter(({ state }) => group === undefined || groupOf(state) === group);
  const numbers = Map.groupBy(passing, ({ state }) => groupOf(state));

  const onRow = (act: (session: string) => void): void => {
    const session = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['session'] : undefined;
    if (session === undefined) store.say('Choose a session first: j and k, or n for the next that needs you', 'warn');
    else act(session);
  };

  useKeys({
    '/': () => search.current?.focus(),
    n: () => nextRow('.needs-you .session-row'),
    j: () => stepRow(1),
    ArrowDown: () => stepRow(1),
    k: () => stepRow(-1),
    ArrowUp: () => stepRow(-1),
    a: () => store.go({ session: undefined, at: undefined, analytics: true }),
    H: () => onRow((id) => void store.halt(id)),
    R: () => onRow((id) => void store.desk?.send({ type: 'RESUME', session_id: id }, 'RESUME')),
    Escape: () => {
      setFilter('');
      setGroup(undefined);
    },
  });

  if (sessions.length === 0) {
    const isLoading = model.connection.status === 'live' && store.isJoining;
    return <EmptyState lines={isLoading ? [{ text: 'Loading the sessions ...' }] : emptyState(model, undefined)} />;
  }
  // They are sorted by group.
  const visible = Map.groupBy(chosen.slice(0, most), ({ state }) => groupOf(state));
  return (
    <div className="overview">
      <div className="overview-head">
        <h1>Sessions</h1>
        <p className="totals">
          <Sentences spans={overviewTotals(sessions)} />
        </p>
        <Link store={store} to={{ session: undefined, at: undefined, analytics: true }} className="aside">
          Analytics
        </Link>
      </div>
      <div className="filters">
        <input
          ref={search}
          type="search"
          placeholder="Search: id, task, folder, user, label, status"
          aria-label="Search sessions by words of id, task, folder, user, label, status"
          maxLength={200}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            // Not every browser empties a field at Esc.
            if (event.key !== 'Escape') return;
            setFilter('');
            event.currentTarget.blur();
          }}
        />
        <div className="chips" role="group" aria-label="Show">
          <Chip label={`all ${count(passing.length)}`} isOn={group === undefined} onClick={() => setGroup(undefined)} />
          {overviewGroups.map((name) => (
            <Chip
              key={name}
              label={`${name} ${count(numbers.get(name)?.length ?? 0)}`}
              isOn={group === name}
              onClick={() => setGroup(group === name ? undefined : name)}
            />
          ))}
        </div>
      </div>
      {chosen.length === 0 ? <p className="empty">No session has these words; Esc shows all.</p> : null}
      {[...visible].map(([name, members]) => (
        <section key={name} className={`group ${name.replace(' ', '-')}`} aria-label={name}>
          <h2>{`${name} ${count(numbers.get(name)?.length ?? 0)}`}</h2>
          <ul className="card">
            {members.map((summary: SessionSummary) => (
              <SessionRow key={summary.state.session_id} store={store} summary={summary} style={style} />
            ))}
          </ul>
        </section>
      ))}
      {chosen.length > most ? (
        <button
          type="button"
          onClick={() => setMost(most + shownSessions)}
        >{`Show ${count(Math.min(shownSessions, chosen.length - most))} more`}</button>
      ) : null}
    </div>
  );
}

function Chip({ label, isOn, onClick }: { label: string; isOn: boolean; onClick: () => void }): ReactNode {
  return (
    <button type="button" className="chip" aria-pressed={isOn} onClick={onClick}>
      {label}
    </button>
  );
}

/** To the next of these rows after the one with the focus; after the last comes the first. */
function nextRow(selector: string): void {
  const rows = [...document.querySelectorAll<HTMLElement>(selector)];
  const at = rows.findIndex((row) => row === document.activeElement);
  focusRow(rows[(at + 1) % rows.length]);
}

function stepRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.session-row')];
  const at = rows.findIndex((row) => row === document.activeElement);
  focusRow(rows[at === -1 ? (by === 1 ? 0 : rows.length - 1) : at + by]);
}

function focusRow(row: HTMLElement | null | undefined): void {
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}
