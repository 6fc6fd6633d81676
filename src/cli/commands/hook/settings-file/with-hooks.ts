import { parse, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import type { CodingAgent } from '../../../../adapters/coding-agents.ts';
import { nodeAt, withElement, withProperty } from './json-insertion.ts';
import { ownHooks } from './own-hooks.ts';

/** What is to stand in a file of settings. */
export interface WantedHooks {
  agent: CodingAgent;
  /** The entry of each event. */
  entries: Readonly<Record<string, unknown>>;
  /** What a file of this kind needs beside hooks. */
  needs: Readonly<Record<string, unknown>>;
}

/**
 * A text of settings that has none of our hooks, with all of them. What stands in it stays as it is.
 * @param text may be empty
 * @throws TypeError something in it is not as the agent reads it, as a sentence without a beginning
 */
export function withHooks(text: string, { agent, entries, needs }: WantedHooks): string {
  let result = text.trim() === '' ? `{}\n` : text;
  for (const [key, value] of Object.entries(needs)) if (nodeAt(result, [key]) === undefined) result = withProperty(result, [], key, value);
  if (nodeAt(result, ['hooks']) === undefined) result = withProperty(result, [], 'hooks', {});
  for (const [event, entry] of Object.entries(entries)) {
    result =
      nodeAt(result, ['hooks', event]) === undefined
        ? withProperty(result, ['hooks'], event, [entry])
        : withElement(result, ['hooks', event], entry);
  }
  const added = new Set(ownHooks(result, agent).map(({ event }) => event));
  const missing = Object.keys(entries).find((event) => !added.has(event));
  if (missing !== undefined) throw new TypeError(`the hooks of ${missing} do not come out as they were put in`);
  return result;
}

/**
 * Checks that an agent can read a text of settings.
 * @param readsComments whether it may hold comments, and commas behind the last of a list
 * @throws TypeError what is wrong, and where, as a sentence without a beginning
 */
export function checkSettings(text: string, readsComments: boolean): void {
  if (text.trim() === '') return;
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { allowTrailingComma: readsComments, disallowComments: !readsComments });
  } catch (cause) {
    // The parser calls itself for each level.
    throw cause instanceof RangeError ? new TypeError('it is nested too deep', { cause }) : cause;
  }
  const [error] = errors;
  if (error !== undefined) throw new TypeError(`line ${lineOf(text, error.offset)}: ${inWords(printParseErrorCode(error.error))}`);
  if (root?.type !== 'object') throw new TypeError('it must hold an object');
}

/** Whether nothing is left in a text of settings but what a new file begins with. */
export function isBare(text: string, needs: Readonly<Record<string, unknown>>): boolean {
  const left = Object.entries((parse(text) ?? {}) as Record<string, unknown>);
  return left.every(([key, value]) => JSON.stringify(value) === (key === 'hooks' ? '{}' : JSON.stringify(needs[key])));
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** `CommaExpected` as `comma expected`. */
function inWords(name: string): string {
  if (name === 'InvalidCommentToken') return 'a comment, which this agent does not read';
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
