/** How the value of an option or argument is read, and which completions a shell can offer for it. */
export type ValueKind =
  | 'text'
  | 'whole-number'
  | 'positive-number'
  | 'seconds'
  | 'duration'
  | 'json'
  | 'file'
  | 'folder'
  | 'url'
  | 'session'
  | 'checkpoint'
  | 'decision'
  /** An option of the decision that `--decision` names. */
  | 'choice'
  /** The id of a command in the ledger. */
  | 'command'
  | 'skill'
  | 'command-type'
  | 'event-type'
  | 'event-glob'
  | 'program';

/** An argument of a command. */
export interface ArgumentDefinition {
  name: string;
  kind: ValueKind;
  /** The only values that it takes. */
  choices?: readonly string[];
  isOptional?: true;
  /** It takes all that follows. */
  isRepeatable?: true;
}

/** An option of a command. */
export interface OptionDefinition {
  /** As the help writes it: `-s, --session <id>`. Without `<...>` it is a flag. */
  flags: string;
  /** Neighbours with the same summary share a line of the help. */
  summary: string;
  /** Of its value; a flag has none. */
  kind?: ValueKind;
  /** The only values that it takes. */
  choices?: readonly string[];
  /** Values that a shell offers; it takes others too. */
  suggestions?: readonly string[];
  isRepeatable?: true;
  /** By which name its value comes to the command, where another option has the usual one. */
  valueName?: string;
  /** It is not the setting of the same name. */
  isNoSetting?: true;
  /** It is for no person: the help, the pages and the shells leave it out. */
  isHidden?: true;
  /** The help leaves it out, which is one screen. */
  isRare?: true;
  default?: string;
  /** The options, by their long names, that it cannot stand beside. */
  conflicts?: readonly string[];
  /** The values of the command's first argument that it goes with; absent: all. */
  onlyWith?: readonly string[];
}

/** What the help tells where the first argument of a command is known: a verb of its own, with only its own options. */
export interface CommandForm {
  /** The first argument. */
  value: string;
  /** The verb that is short for the command with this argument. */
  verb: string;
  summary: string;
  examples: readonly string[];
}

/** One command of the program, as data. The help is made from it; the code of the command is loaded only when the command is called. */
export interface CommandDefinition {
  name: string;
  /** One line, in the list of commands and in its own help. */
  summary: string;
  arguments?: readonly ArgumentDefinition[];
  options: readonly OptionDefinition[];
  /** Two or three, without the program's name. */
  examples: readonly string[];
  /** What it is by its first argument. */
  forms?: readonly CommandForm[];
  /** Further lines of the help. */
  notes?: readonly string[];
  /** Everything from the first argument on belongs to the command, flags too. */
  passThrough?: true;
  /** Whether the command warns of settings that a project's file would make if it were trusted (default: always). `{unless}`: not with that flag. */
  warnsOfTrust?: 'always' | 'never' | { unless: string };
}
