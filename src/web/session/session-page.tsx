import { useMemo, useRef, useState, type ReactNode } from 'react';
import type { SessionEvent } from '../../core/protocol/event.ts';
import type { SessionState } from '../../core/protocol/session-state.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { checkpointFrom } from '../../feed/scrubber.ts';
import { openDecisions } from '../../view/decision-prompt.ts';
import { emptyState } from '../../view/empty-state.ts';
import { agentsPanel } from '../../view/panels/agents-panel.ts';
import { checkpointsPanel } from '../../view/panels/checkpoints-panel.ts';
import { commandsPanel } from '../../view/panels/commands-panel.ts';
import { decisionsPanel } from '../../view/panels/decisions-panel.ts';
import { filesPanel } from '../../view/panels/files-panel.ts';
import type { EventsOf, PanelList } from '../../view/panels/panel.ts';
import { skillsPanel } from '../../view/panels/skills-panel.ts';
import { validationPanel } from '../../view/panels/validation-panel.ts';
import { whyNoRollback } from '../../view/rollback-preview.ts';
import { whyNoStop } from '../../view/stop-question.ts';
import { sparkline } from '../../view/text/numbers.ts';
import type { ViewModel } from '../../view/view-model.ts';
import { useKeys } from '../keys/use-keys.ts';
import { EventDetail } from '../log/event-detail.tsx';
import { LogCard, logTabs, type LogTab } from '../log/log-card.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import type { PageStore } from '../store/page-store.ts';
import { CommandBar } from './command-bar.tsx';
import { DecisionCard } from './decision-card.tsx';
import { HistoryBar } from './history-bar.tsx';
import { Panel } from './panel.tsx';
import { RollbackDialog } from './rollback-dialog.tsx';
import type { SessionAction } from './session-actions.ts';
import { SessionHead } from './session-head.tsx';
import { ShareDialog } from './share-dialog.tsx';
import { SteerDialog } from './steer-dialog.tsx';
import { StopDialog } from './stop-dialog.tsx';

/** The panels in the order of their numbers, as the keys have them; the sixth are the events. */
const panels: readonly [id: string, panelOf: (state: SessionState) => PanelList][] = [
  ['skills', skillsPanel],
  ['agents', agentsPanel],
  ['files', filesPanel],
  ['validation', validationPanel],
  ['decisions', decisionsPanel],
  ['checkpoints', checkpointsPanel],
  ['commands', commandsPanel],
];

/** How far back the sparkline of the tokens goes, in steps of ten seconds. */
const sparkTokens = 24;

/** One session: how it stands, what it asks, what it did, and what can be done to it. */
export function SessionPage({ store, model, session }: { store: PageStore; model: ViewModel; session: string }): ReactNode {
  const { state, live, style } = model;
  const [dialog, setDialog] = useState<SessionAction | 'share'>();
  const [opened, setOpened] = useState<number>();
  const [tab, setTab] = useState<LogTab>('events');
  const [follows, setFollows] = useState(true);
  const filter = useRef<HTMLInputElement>(null);
  const { work } = store;
  const { at } = store.route;
  const lists = useMemo(
    () => (state === undefined ? [] : panels.map(([id, panelOf]) => ({ id, list: panelOf(state) }))),
    // The state is another object after each event.
    [state],
  );

  const act = (action: SessionAction): void => {
    if (live === undefined) return store.say('The session is not known yet', 'warn');
    if (store.work?.scrubber.view !== undefined) return store.say('This is history: go back to live first', 'warn');
    if (action === 'halt') void store.halt(session);
    else if (action === 'resume') void store.desk?.send({ type: 'RESUME', session_id: session }, 'RESUME');
    else {
      const type = ({ rollback: 'ROLLBACK', redirect: 'REDIRECT', inject: 'INJECT', stop: 'STOP' } as const)[action];
      const why = action === 'stop' ? whyNoStop(live) : action === 'rollback' ? whyNoRollback(live) : undefined;
      if (!store.maySend(type)) store.say(`Your role may not send ${type}`, 'bad');
      else if (why !== undefined) store.say(why, 'warn');
      else if (store.desk?.isOpen(type) === true) setDialog(action);
    }
  };
  const move = (seq: number | undefined): void => {
    if (live === undefined || seq === undefined) return store.go({ session, at: undefined }, true);
    const to = Math.max(1, Math.min(live.seq, seq));
    store.go({ session, at: to === live.seq ? undefined : to }, true);
  };
  const openLast = async ({ types, isOne }: EventsOf): Promise<void> => {
    const newest = at ?? live?.seq ?? 0;
    const passes = ({ data }: SessionEvent): boolean => isOne(data);
    try {
      const found = await store.feed?.finder.find({ sessionId: session, from: newest + 1, direction: -1, newest, types, passes });
      if (found === null) store.say('The journal has no such event any more', 'warn');
      else if (found !== undefined) setOpened(found.seq);
    } catch (error) {
      store.say(reasonOf(error), 'bad');
    }
  };
  const here = at ?? live?.seq ?? 0;
  useKeys({
    H: () => act('halt'),
    R: () => act('resume'),
    B: () => act('rollback'),
    X: () => act('stop'),
    d: () => {
      const oldest = document.querySelector<HTMLDetailsElement>('.decision details');
      if (oldest !== null) oldest.open = true;
      oldest?.querySelector<HTMLInputElement>('input[data-option]')?.focus();
    },
    f: () => setFollows(!follows),
    o: () => setTab(logTabs[(logTabs.indexOf(tab) + 1) % logTabs.length] ?? 'events'),
    '/': () => {
      setTab('events');
      filter.current?.focus();
    },
    '[': () => move(here - 1),
    ']': () => move(here + 1),
    '{': () => move(checkpointFrom(live?.checkpoints ?? [], here, -1) ?? here),
    '}': () => move(checkpointFrom(live?.checkpoints ?? [], here, 1)),
    l: () => move(undefined),
    Escape: () => (at === undefined ? store.go({ session: undefined, at: undefined }) : move(undefined)),
    ...Object.fromEntries(
      [...panels.slice(0, 5).map(([id]) => id), 'log'].map((id, index) => [
        `${index + 1}`,
        () => {
          const element = document.getElementById(id);
          element?.scrollIntoView({ block: 'nearest' });
          (element?.querySelector<HTMLElement>('.item, .rows') ?? element)?.focus();
        },
      ]),
    ),
  });

  if (state === undefined || work === undefined) {
    if (store.refusal !== undefined) return <EmptyState lines={[{ text: store.refusal, tone: 'bad' }]} />;
    return <EmptyState lines={at === undefined ? emptyState(model, session) : [{ text: 'Loading this moment ...' }]} />;
  }
  const open = openDecisions(live);
  const full = lists.filter(({ list }) => list.items.length > 0);
  const empty = lists.filter(({ list }) => list.items.length === 0).map(({ list }) => list.title.toLowerCase());
  return (
    <div className={at === undefined ? 'session' : 'session past'}>
      <div className="session-top">
        <SessionHead
          model={model}
          state={state}
          spark={at === undefined ? sparkline(store.feed?.lastTokens(model.wallMs, sparkTokens, session) ?? [], style.glyphs.bars) : ''}
        >
          <span className="tools">
            {store.mayShare ? (
              <button type="button" className="quiet" onClick={() => setDialog('share')}>
                Share
              </button>
            ) : null}
            <a className="quiet" href={`/api/sessions/${encodeURIComponent(session)}/recording`} download>
              Export
            </a>
          </span>
        </SessionHead>
        <CommandBar store={store} state={state} act={act} />
      </div>
      {live === undefined ? null : <HistoryBar store={store} live={live} />}
      {at === undefined ? (
        <div className="decisions">
          {open.map((decision, index) => (
            <DecisionCard
              key={`${decision.decision_id} ${decision.seq}`}
              store={store}
              session={session}
              decision={decision}
              place={{ index, total: open.length }}
              style={style}
            />
          ))}
        </div>
      ) : null}
      <div className="columns">
        <div className="panels">
          {full.map(({ id, list }) => (
            <Panel key={id} id={id} list={list} style={style} onLast={openLast} />
          ))}
          {empty.length === 0 ? null : <p className="muted small">{`None yet: ${empty.join(', ')}`}</p>}
        </div>
        <LogCard
          store={store}
          work={work}
          live={live ?? state}
          style={style}
          seq={state.seq}
          at={at}
          tab={tab}
          onTab={setTab}
          follows={follows && at === undefined}
          onFollow={setFollows}
          onOpen={setOpened}
          filter={filter}
        />
      </div>
      {opened === undefined ? null : (
        <EventDetail
          key={opened}
          store={store}
          session={session}
          seq={opened}
          onClose={() => setOpened(undefined)}
          onMoment={(seq) => {
            setOpened(undefined);
            move(seq);
          }}
        />
      )}
      {dialog === 'rollback' && live !== undefined ? (
        <RollbackDialog store={store} state={live} style={style} onClose={() => setDialog(undefined)} />
      ) : null}
      {dialog === 'stop' && live !== undefined ? <StopDialog store={store} state={live} onClose={() => setDialog(undefined)} /> : null}
      {dialog === 'share' ? <ShareDialog url={store.url} session={session} at={at} onClose={() => setDialog(undefined)} /> : null}
      {dialog === 'redirect' || dialog === 'inject' ? (
        <SteerDialog store={store} session={session} kind={dialog} onClose={() => setDialog(undefined)} />
      ) : null}
    </div>
  );
}
