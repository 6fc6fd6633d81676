import { useEffect, type CSSProperties, type ReactNode } from 'react';
import { count, timeOfDay } from '../../view/text/numbers.ts';
import { useIsNarrow } from '../parts/use-media.ts';
import { VirtualRows } from '../parts/virtual-rows.tsx';
import type { OutputLine } from '../store/output-lines.ts';
import type { SessionWork } from '../store/session-work.ts';
import { coloredTexts } from './ansi.ts';

/** On a phone a line has two rows, and is as high as a thumb is wide. */
const [rowPixels, narrowRowPixels] = [20, 40];

interface OutputViewProps {
  work: SessionWork;
  follows: boolean;
  onFollow: (follows: boolean) => void;
  onOpen: (seq: number) => void;
}

/** What the program of a session has written, in its colours. */
export function OutputView({ work, follows, onFollow, onOpen }: OutputViewProps): ReactNode {
  const height = useIsNarrow() ? narrowRowPixels : rowPixels;
  useEffect(() => work.openOutput(), [work]);
  const { output } = work;
  if (output === undefined) return <p className="log-note">Loading ...</p>;
  const { lines, from, isReading } = output;
  const isEmpty = lines.length === 0 && from <= 1;
  return (
    <>
      <p className="log-note">
        {isEmpty ? 'The program has written nothing; shannon-dash run keeps what it writes.' : `${count(lines.length)} lines`}
        {from > 1 ? (
          <button type="button" className="quiet" disabled={isReading} onClick={() => void output.earlier()}>
            {isReading ? 'Loading ...' : 'Earlier lines'}
          </button>
        ) : null}
      </p>
      <div className="output">
        <VirtualRows
          label="Output"
          count={lines.length}
          shift={output.shift}
          rowPixels={height}
          follows={follows}
          onFollow={onFollow}
          row={(index) => written(lines[index])}
          onOpen={(index) => {
            const line = lines[index];
            if (line !== undefined) onOpen(line.seq);
          }}
        />
      </div>
    </>
  );
}

function written(line: OutputLine | undefined): ReactNode {
  if (line === undefined) return null;
  return (
    <>
      <span className="line-time">{timeOfDay(line.atMs).slice(0, 8)}</span>
      <span className={line.isError ? 'written stderr' : 'written'}>
        {coloredTexts(line.text).map(({ text, classes, color, background }, at) => (
          // Pieces of a line have no names.
          // oxlint-disable-next-line react/no-array-index-key
          <span
            key={at}
            className={[...classes, color && 'ansi-own', background && 'ansi-own-back'].filter(Boolean).join(' ')}
            style={{ '--own': color, '--own-back': background } as CSSProperties}
          >
            {text}
          </span>
        ))}
      </span>
    </>
  );
}
