import { isServerOnly, knownEventTypes, commandTypes } from '../../core/protocol/known-words.ts';
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from '../command-definition.ts';
import { longOf, nameOf, optionsOf, shortOf, type CommandLine } from './command-line.ts';
import { readAddress } from './address.ts';
import { fitting, isInsertable, type Candidate } from './candidate.ts';
import { liveValues, type LiveKind } from './live-values.ts';

/** What can stand where the cursor is. `rest`: what else the shell itself completes there. */
export interface Candidates {
  values: readonly Candidate[];
  rest?: 'files' | 'folders' | { program: number };
}

/** Finds what can stand where the cursor is: at most so many, each of which begins with what is typed. */
export async function candidatesFor(line: CommandLine, commands: readonly CommandDefinition[]): Promise<Candidates> {
  const { position, word } = line;
  switch (position.kind) {
    case 'nothing':
      return { values: [] };
    case 'program':
      return { values: [], rest: { program: position.at } };
    case 'command':
      return {
        values: fitting(
          commands.map(({ name, summary }) => ({ value: name, description: summary })),
          word,
        ),
      };
    case 'flag':
      return { values: fitting(flagsOf(line), word) };
    case 'value': {
      const { values, rest } = await valuesOf(position.definition, line);
      return { values: fitting(values.filter(isInsertable), word, position.before), ...(rest === undefined ? {} : { rest }) };
    }
  }
}

/** The flags that can still be given: neither given already nor in conflict with one that is. */
function flagsOf({ command, given, args, word }: CommandLine): Candidate[] {
  const options = optionsOf(command);
  const givenOptions = options.filter(({ flags }) => given.has(nameOf(flags)));
  const isPossible = ({ flags, isHidden, isRepeatable, conflicts = [], onlyWith }: OptionDefinition) => {
    if (isHidden === true || (given.has(nameOf(flags)) && isRepeatable !== true)) return false;
    if (conflicts.some((each) => given.has(each))) return false;
    if (givenOptions.some((each) => each.conflicts?.includes(nameOf(flags)) === true)) return false;
    const [first] = args;
    return onlyWith === undefined || first === undefined || onlyWith.some((each) => each.toLowerCase() === first.toLowerCase());
  };
  const isShort = /^-\w/.test(word);
  return options.filter(isPossible).flatMap(({ flags, summary }) => {
    const value = isShort ? shortOf(flags) : longOf(flags);
    return value === undefined ? [] : { value, description: summary };
  });
}

const liveKinds: readonly string[] = ['session', 'decision', 'choice', 'checkpoint', 'skill', 'command'] satisfies LiveKind[];

async function valuesOf(definition: OptionDefinition | ArgumentDefinition, line: CommandLine): Promise<Candidates> {
  const { kind, choices } = definition;
  const suggestions = 'suggestions' in definition ? definition.suggestions : undefined;
  const values = [...(choices ?? suggestions ?? [])].map((value) => ({ value }));
  switch (kind) {
    case 'file':
      return { values, rest: 'files' };
    case 'folder':
      return { values, rest: 'folders' };
    case 'command-type':
      return { values: commandTypes.map((value) => ({ value })) };
    case 'event-type':
      return { values: knownEventTypes.filter((type) => !isServerOnly(type)).map((value) => ({ value })) };
    case 'event-glob': {
      const families = new Set(knownEventTypes.map((type) => `${type.slice(0, type.indexOf(':'))}:*`));
      return { values: [...families, ...knownEventTypes].map((value) => ({ value })) };
    }
    default:
      if (kind === undefined || !liveKinds.includes(kind)) return { values };
      return { values: await liveValues(kind as LiveKind, line, readAddress(line.given)) };
  }
}
