import { applyEdits, modify, parse, type JSONPath } from 'jsonc-parser';
import type { CodingAgent } from '../../../../adapters/coding-agents.ts';

/** One of our hooks in the settings of an agent. */
export interface OwnHook {
  event: string;
  /** The handler: what calls the server, or starts this program. */
  handler: Readonly<Record<string, unknown>>;
}

/** Where a hook stands, from the root of the file. */
interface Found extends OwnHook {
  path: JSONPath;
}

/** Our hooks in a text of settings, in its order, those of older versions of this program too. */
export function ownHooks(text: string, agent: CodingAgent): OwnHook[] {
  return foundIn(text, agent);
}

/** A text of settings without our hooks, and without the lists and objects that hold nothing more then. */
export function withoutOwnHooks(text: string, agent: CodingAgent): string {
  let rest = text;
  // The last one first: the places of the others stay.
  for (const { path } of foundIn(text, agent).toReversed()) {
    let gone = path;
    // A list that held it alone, with the fields that say when it is called, goes with it.
    while (gone.length > 1 && holdsNothingBeside(parse(rest) as unknown, gone)) gone = gone.slice(0, -1);
    rest = applyEdits(rest, modify(rest, gone, undefined, {}));
  }
  return rest;
}

function foundIn(text: string, agent: CodingAgent): Found[] {
  const { hooks } = asRecord(parse(text)) ?? {};
  const found: Found[] = [];
  for (const [event, entries] of Object.entries(asRecord(hooks) ?? {})) {
    for (const [at, entry] of (Array.isArray(entries) ? entries : []).entries()) {
      const group = asRecord(entry);
      if (group === undefined) continue;
      const path = ['hooks', event, at];
      if (isOwn(group, agent)) found.push({ event, handler: group, path });
      for (const [inner, each] of (Array.isArray(group['hooks']) ? group['hooks'] : []).entries()) {
        const handler = asRecord(each);
        if (handler !== undefined && isOwn(handler, agent)) found.push({ event, handler, path: [...path, 'hooks', inner] });
      }
    }
  }
  return found;
}

/** Whether a handler calls our server, or starts this program, for the agent. */
function isOwn({ url, command, args }: Record<string, unknown>, agent: CodingAgent): boolean {
  if (typeof url === 'string' && URL.parse(url)?.pathname.endsWith(`/api/hooks/${agent}`) === true) return true;
  if (typeof command !== 'string') return false;
  const words = [command, ...(Array.isArray(args) ? args.map(String) : [])].join(' ');
  return new RegExp(`shannon-dash.* hook ${agent}(?: |$)`, 's').test(words);
}

/** Whether what holds the value at a path holds nothing else that would be missed. */
function holdsNothingBeside(root: unknown, path: JSONPath): boolean {
  const parent = path.slice(0, -1);
  const holder = parent.reduce((value: unknown, key) => (value as Record<string | number, unknown> | undefined)?.[key], root);
  if (Array.isArray(holder)) return holder.length === 1;
  // A group of handlers: its matcher alone does nothing.
  const isGroup = path.at(-1) === 'hooks' && path.length > 1;
  return isGroup || Object.keys(asRecord(holder) ?? {}).length === 1;
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}
