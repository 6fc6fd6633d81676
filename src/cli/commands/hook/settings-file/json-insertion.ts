import { createScanner, parseTree, type Node } from 'jsonc-parser';

/** How a text of JSON is laid out. */
interface Layout {
  /** What one level is indented by. */
  unit: string;
  /** The end of a line. */
  eol: string;
}

/**
 * Puts a property at the end of an object. All that stands in the text stays as it is, comments too.
 * @param path the object's place from the root
 * @throws TypeError what stands there is no object
 */
export function withProperty(text: string, path: readonly string[], key: string, value: unknown): string {
  const layout = layoutOf(text);
  return withChild(text, containerAt(text, path, 'object'), layout, (indent) => `${JSON.stringify(key)}: ${shown(value, indent, layout)}`);
}

/** Puts an element at the end of a list. @throws TypeError what stands there is no list */
export function withElement(text: string, path: readonly string[], value: unknown): string {
  const layout = layoutOf(text);
  return withChild(text, containerAt(text, path, 'array'), layout, (indent) => shown(value, indent, layout));
}

/** What stands at a path; of fields of one name the last one, which a parser takes. */
export function nodeAt(text: string, path: readonly string[]): Node | undefined {
  let node = parseTree(text, undefined, { allowTrailingComma: true });
  for (const key of path) node = node?.children?.findLast(({ children }) => children?.[0]?.value === key)?.children?.[1];
  return node;
}

function containerAt(text: string, path: readonly string[], type: 'object' | 'array'): Node {
  const node = nodeAt(text, path);
  if (node?.type === type) return node;
  throw new TypeError(`${path.length === 0 ? 'it' : `"${path.join('.')}"`} must be ${type === 'object' ? 'an object' : 'a list'}`);
}

function withChild(
  text: string,
  { offset, length, children = [] }: Node,
  { unit, eol }: Layout,
  bodyWith: (indent: string) => string,
): string {
  const close = offset + length - 1;
  const [first, last] = [children[0], children.at(-1)];
  const end = last === undefined ? offset + 1 : last.offset + last.length;
  // Behind comments, which belong to what stands before them.
  const at = end + text.slice(end, close).trimEnd().length;
  const outer = indentOfLine(text, offset);
  const own = first === undefined ? undefined : indentBefore(text, first.offset);
  const indent = own ?? outer + unit;
  const separator = last === undefined || hasComma(text, end) ? '' : ',';
  const isClosedOnItsLine = text.slice(at, close).includes('\n');
  const added = `${eol}${indent}${bodyWith(indent)}${isClosedOnItsLine ? '' : eol + outer}`;
  return text.slice(0, end) + separator + text.slice(end, at) + added + text.slice(isClosedOnItsLine ? at : close);
}

function hasComma(text: string, from: number): boolean {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  return text[scanner.getTokenOffset()] === ',';
}

function shown(value: unknown, indent: string, { unit, eol }: Layout): string {
  return JSON.stringify(value, null, unit).replaceAll('\n', eol + indent);
}

function layoutOf(text: string): Layout {
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  const first = parseTree(text, undefined, { allowTrailingComma: true })?.children?.[0];
  const indent = first === undefined ? undefined : indentBefore(text, first.offset);
  return { unit: indent === undefined || indent === '' ? '  ' : indent.slice(0, 10), eol };
}

/** The white space between the beginning of a line and a place; undefined where something else stands before it. */
function indentBefore(text: string, at: number): string | undefined {
  return /(?:^|\n)([ \t]*)$/.exec(text.slice(0, at))?.[1];
}

function indentOfLine(text: string, at: number): string {
  return /[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))?.[0] ?? '';
}
