import type { Board } from '../board.ts';
import { timeOfDay } from '../../view/text/numbers.ts';
import type { LogLine } from '../../view/log/log-lines.ts';

const pollMs = 100;

/** Prints new lines of the log below each other, without cursor control, until `s` asks the full screen back. */
export async function streamPlainly(board: Board): Promise<void> {
  const { stdin, stdout } = process;
  const done = Promise.withResolvers<void>();
  const name = board.ui.sessionId ?? 'all sessions';
  stdout.write(`-- plain stream of ${name}; s: back to the full screen, q: quit --\n`);
  let printed = board.feed.log.newest;
  const print = () => {
    const fresh = board.lines().filter((line) => line.number > printed);
    printed = Math.max(printed, board.feed.log.newest);
    if (fresh.length > 0) stdout.write(fresh.map((line) => plainLine(line, board.ui.sessionId === undefined)).join(''));
  };
  const read = () => {
    let chunk: Buffer | string | null;
    while ((chunk = stdin.read() as Buffer | string | null) !== null) {
      const keys = chunk.toString();
      if (keys.includes('\x03')) board.terminal.leave('interrupted');
      else if (keys.includes('q')) board.terminal.leave(board.endingNow());
      else if (!keys.includes('s')) continue;
      done.resolve();
    }
  };
  const timer = setInterval(print, pollMs);
  stdin.setRawMode(true);
  stdin.ref();
  stdin.on('readable', read);
  try {
    await done.promise;
  } finally {
    clearInterval(timer);
    stdin.off('readable', read);
    stdin.setRawMode(false);
  }
}

function plainLine(line: LogLine, withSession: boolean): string {
  return `${timeOfDay(line.atMs)} ${withSession ? `${line.session_id} ` : ''}${line.group.padEnd(8)} ${line.text}\n`;
}
