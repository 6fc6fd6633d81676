import type { Picture } from './picture.ts';
import { fitted, wrapped, type Row, type Span } from './row.ts';
import { connectionSpan } from './standing.ts';
import { shown } from './text.ts';
import { serveArgument, urlArgument } from './url-argument.ts';

/** What stands in the body while there is nothing else to show: why, and the command to try next. */
export function guidanceRows(picture: Picture, width: number): Row[] {
  const { ellipsis } = picture.look.glyphs;
  return lines(picture).flatMap(({ text, tone }) => {
    const indent = `  ${/^ */.exec(text)?.[0] ?? ''}`;
    const parts = wrapped(text.trimStart(), width - indent.length - 1, 5, ellipsis);
    return (parts.length === 0 ? [''] : parts).map((part) => ({
      spans: fitted([{ text: indent }, { text: part, tone }], width, ellipsis),
    }));
  });
}

function lines(picture: Picture): Span[] {
  const { connection, ui } = picture;
  const url = shown(picture.url, 200);
  const toHere = urlArgument(picture.url);
  const serve = serveArgument(picture.url);
  if (connection.status === 'connecting' || connection.status === 'reconnecting') {
    return [
      { text: '' },
      connectionSpan(picture),
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
      connectionSpan(picture),
      { text: '' },
      { text: 'The server is there and says no. Give a token, or another server:' },
      { text: '' },
      { text: `  SHANNON_DASH_TOKEN=... shannon-dash watch${toHere}`, tone: 'strong' },
      { text: '  shannon-dash watch --url URL', tone: 'strong' },
    ];
  }
  if (ui.sessionId === undefined) {
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
    { text: `${ui.sessionId} has no event yet.` },
    { text: '' },
    { text: 'It shows here with its first one. To make one:' },
    { text: '' },
    { text: `  shannon-dash run --session ${ui.sessionId}${toHere} -- npm test`, tone: 'strong' },
    { text: '' },
    { text: `All sessions: shannon-dash watch${toHere}` },
  ];
}
