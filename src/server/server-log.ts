/** Writes one line: a sentence, with fields before it where there are some. */
interface WriteLine {
  (sentence: string): void;
  (fields: object, sentence?: string): void;
}

/** Where a server logs: a logger of pino, or of anything that has the same methods. */
export interface ServerLog {
  level: string;
  isLevelEnabled(level: string): boolean;
  fatal: WriteLine;
  error: WriteLine;
  warn: WriteLine;
  info: WriteLine;
  debug: WriteLine;
  trace: WriteLine;
  silent: WriteLine;
  child(bindings: Record<string, unknown>, options?: object): ServerLog;
}
