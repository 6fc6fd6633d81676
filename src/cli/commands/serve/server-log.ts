import { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { safeJson, safeLines } from '../../../core/text/safe-text.ts';

/** The server's log, to stderr: readable on a terminal, one JSON document a line elsewhere. */
export async function createLog(level: 'debug' | 'info' | 'warn' | 'error'): Promise<Logger> {
  if (!process.stderr.isTTY) {
    const destination = pino.destination({ dest: 2, sync: true });
    // With the names of levels and ISO times, as collectors read them.
    const form = { timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label: string) => ({ level: label }) } };
    return pino({ level, ...form }, { write: (line) => void destination.write(`${safeJson(line.trimEnd())}\n`) });
  }
  const { default: pretty } = await import('pino-pretty');
  // Without its colours: its lines hold texts of clients, and are cleaned as all such texts are.
  return pino(
    { level },
    pretty({ colorize: false, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', destination: new SafeTerminal() }),
  );
}

class SafeTerminal extends Writable {
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    process.stderr.write(`${safeLines(String(chunk).trimEnd()).join('\n')}\n`);
    done();
  }
}
