/** A key of the page, as the help tells of it. */
export interface PageKey {
  /** As it stands in the help. */
  shown: string;
  does: string;
  place: 'everywhere' | 'overview' | 'session' | 'list';
}

/** The keys of the page. */
export const pageKeys: readonly PageKey[] = [
  { shown: '?', does: 'this help', place: 'everywhere' },
  { shown: 'Esc', does: 'back: out of a dialog, a filter, history, or to all sessions', place: 'everywhere' },
  { shown: '/', does: 'filter the sessions, or the events', place: 'everywhere' },
  { shown: 'n', does: 'to the next session that needs you', place: 'overview' },
  { shown: 'j k ↓ ↑', does: 'the next session, the one before', place: 'overview' },
  { shown: 'a', does: 'analytics: what all sessions add up to', place: 'overview' },
  { shown: 'H R', does: 'halt, or resume, the chosen session at once', place: 'overview' },
  { shown: 'H', does: 'halt at once, without asking', place: 'session' },
  { shown: 'R', does: 'resume a halted session, take back a HALT', place: 'session' },
  { shown: 'B', does: 'roll back: shows first what would be undone, and asks', place: 'session' },
  { shown: 'X', does: 'stop: end the program and all that it has started; asks first', place: 'session' },
  { shown: 'd', does: 'to the oldest pending decision; arrows choose, Enter sends', place: 'session' },
  { shown: '1-6', does: 'to skills, agents, files, validation, decisions, events', place: 'session' },
  { shown: 'f', does: 'follow the newest events, or stop', place: 'session' },
  { shown: 'o', does: "the program's output, the timeline, the events", place: 'session' },
  { shown: '[ ]', does: 'history: one event back, one forward', place: 'session' },
  { shown: '{ }', does: 'history: to the checkpoint before, to the next one', place: 'session' },
  { shown: 'l', does: 'from history back to live', place: 'session' },
  { shown: 'j k g G', does: 'down, up, to the first, to the last', place: 'list' },
  { shown: 'Enter', does: 'show the selected one in full', place: 'list' },
];
