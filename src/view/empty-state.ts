import { connectionSpan } from './status-line.ts';
import { shown } from './text/shown-text.ts';
import { serveArgument, urlArgument } from './text/server-arguments.ts';
import type { Span } from './cells.ts';
import type { ViewModel } from './view-model.ts';

/** The lines that say why there is nothing to show yet, and the command to try next. An indented one is a command. */
export function emptyState(model: ViewModel, sessionId: string | undefined): Span[] {
  const { connection } = model;
  const url = shown(model.url, 200);
  const toHere = urlArgument(model.url);
  const serve = serveArgument(model.url);
  if (connection.status === 'connecting' || connection.status === 'reconnecting') {
    return [
      { text: '' },
      connectionSpan(model),
      { text: '' },
      ...(connection.error === null ? [] : [{ text: shown(connection.error, 300), tone: 'bad' } as const, { text: '' }]),
      { text: serve === undefined ? 'No server there yet? Start one there:' : 'No server there yet? Start one in another terminal:' },
      { text: '' },
      { text: `  shannon-dash serve${serve ?? ''}`, tone: 'strong' },
      { text: '' },
      { text: 'This screen comes alive by itself as soon as it listens.' },
    ];
  }
  if (connection.status === 'closed') {
    return [
      { text: '' },
      connectionSpan(model),
      { text: '' },
      { text: 'The server is there and says no. Give a token, or another server:' },
      { text: '' },
      { text: `  SHANNON_DASH_TOKEN=... shannon-dash watch${toHere}`, tone: 'strong' },
      { text: '  shannon-dash watch --url URL', tone: 'strong' },
    ];
  }
  if (sessionId === undefined) {
    return [
      { text: '' },
      { text: `No session yet on ${url}.` },
      { text: '' },
      { text: 'Run something and watch it here:' },
      { text: '' },
      { text: `  shannon-dash run${toHere} -- npm test`, tone: 'strong' },
      { text: '' },
      { text: 'Any program that publishes events shows up by itself.' },
    ];
  }
  return [
    { text: '' },
    { text: `${sessionId} has no event yet.` },
    { text: '' },
    { text: 'It shows here with its first one. To make one:' },
    { text: '' },
    { text: `  shannon-dash run --session ${sessionId}${toHere} -- npm test`, tone: 'strong' },
    { text: '' },
    { text: `All sessions: shannon-dash watch${toHere}` },
  ];
}
