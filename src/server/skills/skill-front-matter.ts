import { readYaml, YamlError, type YamlDocument } from './skill-yaml.ts';

/** The fields of a skill that are texts, whatever they look like. */
const textFields = new Set(['name', 'version', 'description', 'category', 'domain']);

/**
 * The front matter of a `SKILL.md` as Claude Code reads it: YAML where it is YAML. A field that is none (a colon or a
 * bracket in a plain sentence, a leading backtick) is the rest of its line, as written; the others stay what they are.
 * @throws YamlError it is more of YAML than is safe
 */
export function readFrontMatter(text: string, maxBytes: number): unknown {
  const fields = new Map(chunksOf(text).map((chunk) => [chunk.key, chunk]));
  const whole = yamlOf(text, maxBytes);
  const value = whole === undefined ? undefined : (whole.value ?? {});
  if (value !== undefined && !isMapping(value)) return value;
  const read = value ?? Object.fromEntries([...fields.values()].map((chunk) => [chunk.key, valueOf(chunk, maxBytes)]));
  return Object.fromEntries(
    Object.entries(read).map(([key, given]) => {
      const chunk = fields.get(key);
      const isText = typeof given === 'string' || given === null;
      if (key === 'metadata') return [key, withVersion(given, whole?.written(['metadata', 'version']))];
      return [key, isText || !textFields.has(key) || chunk === undefined ? given : asWritten(chunk)];
    }),
  );
}

/** `metadata` with its version as it is written: 1.10 is not 1.1. */
export function withVersion(metadata: unknown, written: string | undefined): unknown {
  return isMapping(metadata) && written !== undefined ? { ...metadata, version: written } : metadata;
}

/** A field of the first level: its line, and those that are indented below it or are a list of it. */
interface Chunk {
  key: string;
  /** What follows the colon. */
  rest: string;
  /** The lines below, as they are. */
  below: string[];
}

function chunksOf(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  for (const line of text.split('\n')) {
    const [, key, rest] = /^(['"]?[^\s#:'"-][^:]*?)[ \t]*:(?:[ \t]+(.*))?$/.exec(line) ?? [];
    if (key !== undefined) chunks.push({ key: unquoted(key), rest: (rest ?? '').trim(), below: [] });
    else if (/^[ \t-]/.test(line)) chunks.at(-1)?.below.push(line);
  }
  return chunks;
}

/** What the chunk means as YAML, else what it says. */
function valueOf(chunk: Chunk, maxBytes: number): unknown {
  const document = yamlOf([`x: ${chunk.rest}`, ...chunk.below].join('\n'), maxBytes);
  if (!isMapping(document?.value) || !('x' in document.value)) return asWritten(chunk);
  return withVersion(document.value['x'], document.written(['x', 'version']));
}

function asWritten({ rest, below }: Chunk): string {
  return unquoted([rest, ...below.map((line) => line.trim())].filter((line) => line !== '').join(' '));
}

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) && text.length > 1 ? text.slice(1, -1) : text;
}

/** Undefined where it is no YAML. @throws YamlError it is more than is safe */
function yamlOf(text: string, maxBytes: number): YamlDocument | undefined {
  try {
    return readYaml(text, maxBytes)[0] ?? { value: {}, written: () => undefined };
  } catch (error) {
    if (error instanceof YamlError && error.isSyntax) return undefined;
    throw error;
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
