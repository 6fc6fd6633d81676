import { isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document } from 'yaml';

/** One YAML document as a plain JSON value. */
export interface YamlDocument {
  value: unknown;
  /** How a number is written in the file (`1.0`), by the keys that lead to it; undefined if there is no number. */
  written: (keys: readonly string[]) => string | undefined;
}

/** A text that is not YAML, or more of it than is safe. `line` counts from 1 and is unknown for faults of the whole. */
export class YamlError extends Error {
  readonly line: number | undefined;
  /** Whether it is no YAML; else it is more of it than is safe. */
  readonly isSyntax: boolean;

  constructor(message: string, { line, isSyntax = false }: { line?: number; isSyntax?: boolean } = {}) {
    super(message);
    this.name = 'YamlError';
    this.line = line;
    this.isSyntax = isSyntax;
  }
}

/** Aliases expanded in one document, and levels of nesting in it. */
const yamlLimits = { aliases: 100, depth: 64 } as const;

/**
 * Reads untrusted YAML 1.2 (core schema) of one or several documents. Tags are refused, aliases are bounded, and
 * what they all expand to may take `maxBytes` of JSON: a small file must not become a huge answer. Throws YamlError.
 */
export function readYaml(text: string, maxBytes: number): YamlDocument[] {
  const lines = new LineCounter();
  const documents = guarded(() =>
    parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      schema: 'core',
      resolveKnownTags: false,
      // Its own check compares each key with each, a minute and a half for 80,000 keys; checkNodes does it.
      uniqueKeys: false,
      // Its warnings would go to stderr, past the server's log.
      logLevel: 'error',
    }),
  );
  let bytes = 0;
  return [...documents].map((document) => {
    // A tag that is not resolved is only a warning there; here a value that asks for a type must not pass as a text.
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault !== undefined) throw notYaml(fault.message, lines.linePos(fault.pos[0]).line);
    guarded(() => checkNodes(document, lines));
    // Through JSON, because that is what goes out: no shared references, no cycles, no values JSON cannot carry.
    const json = guarded(() => JSON.stringify(document.toJS({ maxAliasCount: yamlLimits.aliases }) ?? null));
    bytes += Buffer.byteLength(json);
    if (bytes > maxBytes) throw new YamlError(`expands to more than ${maxBytes} bytes`);
    const value: unknown = JSON.parse(json);
    checkDepth(value);
    return {
      value,
      written: (keys) => {
        const node = document.getIn(keys, true);
        return isScalar(node) && typeof node.value === 'number' ? node.source : undefined;
      },
    };
  });
}

/** Deep nesting overflows the stack of the parser, and too many aliases make it throw: both are faults of the file. */
function guarded<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof YamlError) throw error;
    throw notYaml(error instanceof Error ? firstLine(error.message) : String(error));
  }
}

/** Throws YamlError at a key that its mapping holds already, and at more aliases than are resolved in a moment. */
function checkNodes(document: Document.Parsed, lines: LineCounter): void {
  let aliases = 0;
  visit(document, {
    Alias() {
      aliases += 1;
      // The parser's bound is per anchor, and each alias makes it walk the document: a file of both takes half a minute.
      if (aliases > yamlLimits.aliases) throw new YamlError(`holds more than ${yamlLimits.aliases} aliases`);
    },
    Map(_, map) {
      const keys = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (keys.has(name)) throw notYaml(`key "${name}" stands there twice`, lines.linePos(key.range?.[0] ?? 0).line);
        keys.add(name);
      }
    },
  });
}

function notYaml(fault: string, line?: number): YamlError {
  return new YamlError(`not valid YAML (${fault})`, line === undefined ? { isSyntax: true } : { line, isSyntax: true });
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

/** @throws YamlError it is nested deeper than others could handle */
export function checkDepth(value: unknown): void {
  if (!isWithin(value, yamlLimits.depth)) throw new YamlError(`is nested more than ${yamlLimits.depth} levels deep`);
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1));
}
