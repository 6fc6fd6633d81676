import { commandTypes, parseCommand, type CommandRequest, type CommandType } from '../../../core/protocol/command.ts';
import { ShannonDashError } from '../../../core/protocol/errors.ts';
import { parseJson } from '../../../core/json/exact-json.ts';
import { usageFailure } from '../../failure.ts';
import { parseDurationMs } from '../../../core/text/parse-duration.ts';
import { nearest } from '../../../core/text/nearest.ts';

/** The flags of `send` that fill a command's fields. */
export interface CommandFlags {
  reason?: string;
  steps?: number;
  checkpoint?: string;
  force?: boolean;
  dryRun?: boolean;
  skill?: string;
  path?: string;
  instructions?: string;
  decision?: string;
  choice?: string;
  comment?: string;
  param?: string[];
  position?: string;
  grace?: string;
}

/** Which flag fills which field of which type. */
const fieldsOf: Record<CommandType, Partial<Record<keyof CommandFlags, string>>> = {
  HALT: { reason: 'reason' },
  RESUME: {},
  ROLLBACK: { steps: 'steps', checkpoint: 'checkpoint_id', force: 'force', dryRun: 'dry_run' },
  REDIRECT: { skill: 'target_skill', path: 'target_path', instructions: 'instructions' },
  DECISION: { decision: 'decision_id', choice: 'choice', comment: 'comment' },
  INJECT: { skill: 'skill_name', param: 'parameters', position: 'position' },
  STOP: { reason: 'reason', grace: 'grace_ms' },
};

const flagNames: Partial<Record<keyof CommandFlags, string>> = { dryRun: '--dry-run' };

/** The type that was meant. @throws Failure with the nearest one */
export function commandType(given: string): CommandType {
  const type = commandTypes.find((each) => each === given.toUpperCase());
  if (type !== undefined) return type;
  const near = nearest(given, commandTypes);
  throw near === undefined
    ? usageFailure(`unknown command "${given}"`, `known: ${commandTypes.join(', ')}`)
    : usageFailure(`unknown command "${given}". Did you mean ${near}?`, `shannon-dash send ${near}`);
}

/** The command as its flags say, checked as the server checks it. @throws Failure with the flag that is wrong */
export function commandOf(type: CommandType, flags: CommandFlags): CommandRequest {
  const fields: Record<string, unknown> = {};
  for (const [flag, field] of Object.entries(fieldsOf[type])) {
    const value = flags[flag as keyof CommandFlags];
    if (value === undefined) continue;
    fields[field] = valueOf(flag, value);
  }
  for (const flag of Object.keys(flags) as (keyof CommandFlags)[]) {
    // Any command can be tried dry: one that cannot preview itself is then not sent at all.
    const isKnown = Object.values(fieldsOf).some((each) => each[flag] !== undefined);
    if (isKnown && flag !== 'dryRun' && fieldsOf[type][flag] === undefined) {
      throw usageFailure(`${nameOf(flag)} does not go with ${type}`, 'see: shannon-dash send --help');
    }
  }
  try {
    return parseCommand({ type, ...fields });
  } catch (error) {
    throw error instanceof ShannonDashError ? usageFailure(inFlags(type, error.message), 'see: shannon-dash send --help') : error;
  }
}

/** The value of a flag, as its field takes it. */
function valueOf(flag: string, value: unknown): unknown {
  switch (flag) {
    case 'param':
      return parametersOf(value as string[]);
    case 'position':
      return positionOf(value as string);
    case 'grace': {
      const ms = parseDurationMs(value as string);
      if (ms === undefined) throw usageFailure(`--grace ${value as string} must be a time`, 'such as: --grace 30s');
      return ms;
    }
    default:
      return value;
  }
}

/** `key=value`: JSON where it is JSON, else the text itself. */
function parametersOf(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw usageFailure(`--param ${pair}: it must be key=value`, 'such as: -p files=12 -p name=lint -p \'tags=["a"]\'');
      return [pair.slice(0, at), jsonOrText(pair.slice(at + 1), `--param ${pair.slice(0, at)}`)];
    }),
  );
}

function jsonOrText(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof ShannonDashError) throw usageFailure(`${where}: ${error.message}`, `as a text: -p 'key="${text}"'`);
    return text;
  }
}

function positionOf(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Replaces the fields of the wire in a refusal by the flags that the user typed. */
function inFlags(type: CommandType, message: string): string {
  return Object.entries(fieldsOf[type]).reduce(
    (text, [flag, field]) => text.replaceAll(new RegExp(`\\b${field}\\b:?`, 'g'), nameOf(flag as keyof CommandFlags)),
    message,
  );
}

function nameOf(flag: keyof CommandFlags): string {
  return flagNames[flag] ?? `--${flag}`;
}
