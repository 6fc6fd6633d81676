import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { fieldPath } from '../../core/json/field-path.ts';
import { malformedPath } from '../../core/json/json.ts';
import { check } from '../../core/json/parse.ts';
import { notWellFormed } from '../../core/text/text.ts';
import { readFrontMatter, withVersion } from './skill-front-matter.ts';
import { checkDepth, readYaml, YamlError } from './skill-yaml.ts';
import type { YamlDocument } from './skill-yaml.ts';

/** Whose skill it is: the project's, the user's, or of a folder named on the command line. */
export type SkillScope = 'project' | 'user' | 'extra';

/** A skill as the API shows it. Fields of the file that are not named here are kept as they are. */
export interface Skill {
  name: string;
  version?: string;
  /** Empty if the file has none. */
  description: string;
  category?: string;
  /** `domain`, else `metadata.domain`. */
  domain?: string;
  /** `tags` and `metadata.tags`, each once. */
  tags: string[];
  parameters?: unknown;
  dependencies?: unknown;
  execution?: unknown;
  hooks?: unknown;
  metadata?: Record<string, unknown>;
  /** `shannon`: a YAML file; `claude`: the front matter of a `SKILL.md`. */
  format: 'shannon' | 'claude';
  /** Path of the file. */
  path: string;
  scope: SkillScope;
  [field: string]: unknown;
}

/** Bounds of one skill file: bytes of its text, and skills in a file of several YAML documents. */
export const skillFileLimits = { bytes: 1024 * 1024, skills: 100, nameChars: 128 } as const;

/** A file that holds no readable skill. `message` is a sentence that names the file and the line or field at fault. */
export class SkillFileError extends Error {
  readonly path: string;
  /** What is wrong, without the file's name. */
  readonly fault: string;
  /** From 1; only where the YAML itself is at fault. */
  readonly line: number | undefined;

  /** @param isSentence `fault` is the whole message already */
  constructor(path: string, fault: string, { line, isSentence = false }: { line?: number | undefined; isSentence?: boolean } = {}) {
    super(isSentence ? fault : `Skill file ${path}${line === undefined ? '' : `, line ${line}`}: ${fault}`);
    this.name = 'SkillFileError';
    this.path = path;
    this.fault = fault;
    this.line = line;
  }
}

// A key without a value is null in YAML; people leave such keys in templates, so null counts as absent.
const text = z.string('must be a text').nullish();
const version = z.union([z.string(), z.number().transform(String)], 'must be a text or a number').nullish();
const word = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);
const words = z.union([z.array(word), z.string().transform(splitWords)], 'must be a list of texts').nullish();
const structure = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())], 'must be a list or a mapping').nullish();
const name = z
  .string({ error: (issue) => (issue.input === undefined || issue.input === null ? 'is required' : 'must be a text') })
  .min(1, 'must not be empty')
  .max(skillFileLimits.nameChars, `must be at most ${skillFileLimits.nameChars} characters`)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');
const metadata = z.looseObject({ tags: words, domain: text }, 'must be a mapping').nullish();
const common = {
  version,
  description: text,
  category: text,
  domain: text,
  tags: words,
  metadata,
};
const notMapping = 'must be a mapping with a name, a description and so on';
const shannonSkill = z.looseObject(
  { ...common, name, parameters: structure, dependencies: structure, execution: structure, hooks: structure },
  notMapping,
);
// Claude Code gives no meaning to `parameters` and the like: whatever stands there is passed on unchecked.
const claudeSkill = z.looseObject(
  { ...common, tags: words.catch(undefined), metadata: metadata.catch(undefined), name: name.nullish() },
  notMapping,
);

/** Whether a file's name makes it a Claude Code skill, whose head alone is YAML. */
function isClaudeSkillFile(path: string): boolean {
  return /^skill\.md$/i.test(basename(path));
}

/** Whether a file may be no skill at all without a word about it: what has no name, and is neither at the top nor called a skill. */
function mayBeOther(path: string, isAtTop: boolean): boolean {
  return !/^skill\./i.test(basename(path)) && (!isAtTop || /\.json$/i.test(path));
}

/**
 * Reads the skills of one file: of each YAML document in a Shannon file, of a JSON file, or of the front matter of a `SKILL.md`.
 * Throws SkillFileError at the first fault: a file is taken whole or not at all.
 * @param isAtTop whether it lies in a skills folder itself; what lies below may be something else than a skill
 */
export function parseSkillFile(path: string, text: string, scope: SkillScope = 'extra', isAtTop = true): Skill[] {
  if (Buffer.byteLength(text) > skillFileLimits.bytes) throw new SkillFileError(path, tooLarge);
  const claude = isClaudeSkillFile(path);
  const given = claude ? [frontMatterOf(path, text)] : documentsOf(path, text);
  const filled = mayBeOther(path, isAtTop) ? given.filter((value) => isMapping(value) && typeof value['name'] === 'string') : given;
  if (given.length === 0) throw new SkillFileError(path, 'holds no skill');
  if (filled.length > skillFileLimits.skills) throw new SkillFileError(path, `holds more than ${skillFileLimits.skills} skills`);
  return filled.map((value) => {
    const result = check<typeof claudeSkill | typeof shannonSkill>(claude ? claudeSkill : shannonSkill, value);
    if (!result.success) throw new SkillFileError(path, fieldFault(result.error));
    const malformed = malformedPath(value);
    if (malformed !== undefined) throw new SkillFileError(path, `${fieldPath('', malformed)} ${notWellFormed}`);
    const { name: given = null, version, description, category, domain, tags, metadata, ...rest } = result.data;
    return {
      ...withoutNull(rest, ['parameters', 'dependencies', 'execution', 'hooks']),
      name: given ?? folderName(path),
      ...present({ version, category, domain: domain ?? metadata?.domain, metadata }),
      description: description ?? '',
      tags: [...new Set([...(tags ?? []), ...(metadata?.tags ?? [])])],
      format: claude ? 'claude' : 'shannon',
      path,
      scope,
    };
  });
}

/** The name of a skill that has none of its own. */
function folderName(path: string): string {
  const result = name.safeParse(basename(dirname(path)));
  if (result.success) return result.data;
  throw new SkillFileError(path, `it has no name, and the name of its folder ${result.error.issues[0]?.message ?? 'is none'}`);
}

/** What is said of a file above the bound, also by those who stop before reading it whole. */
export const tooLarge = `is larger than ${skillFileLimits.bytes} bytes`;

/** The documents of a YAML file, or what a JSON file holds: one skill, or a list of them. */
function documentsOf(path: string, text: string): unknown[] {
  if (!/\.json$/i.test(path)) {
    const documents = guarded(path, () => readYaml(text, skillFileLimits.bytes));
    // An empty document between two `---` is nothing.
    return documents.filter((each) => each.value !== null).map(unwrap);
  }
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\u{FEFF}/u, ''));
  } catch {
    throw new SkillFileError(path, 'not valid JSON');
  }
  guarded(path, () => checkDepth(value));
  return (Array.isArray(value) ? value : [value]).map((each: unknown) => unwrap({ value: each, written: () => undefined }));
}

/** An empty front matter is a skill named after its folder. */
function frontMatterOf(path: string, text: string): unknown {
  const head = frontMatter(path, text);
  return guarded(path, () => readFrontMatter(head, skillFileLimits.bytes));
}

function guarded<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof YamlError) throw new SkillFileError(path, error.message, { line: error.line });
    throw error;
  }
}

/** The YAML head of a SKILL.md. Its first line stays, as an empty one, so that line numbers are those of the file. */
function frontMatter(path: string, text: string): string {
  const lines = text.replace(/^\u{FEFF}/u, '').split(/\r?\n/);
  if (lines[0]?.trimEnd() !== '---') throw new SkillFileError(path, 'has no front matter: its first line must be ---');
  const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === '---');
  if (end === -1) throw new SkillFileError(path, 'has a front matter without its closing line ---');
  return ['', ...lines.slice(1, end)].join('\n');
}

/** Takes a skill out of a `skill:` key, keeps what stands beside it, and keeps a version such as 1.0 as it is written. */
function unwrap({ value, written }: YamlDocument): unknown {
  if (!isMapping(value)) return value;
  const { skill, ...beside } = value;
  const isNested = value['name'] === undefined && isMapping(skill);
  const whole: Record<string, unknown> = isNested ? { ...beside, ...skill } : value;
  const way = isNested ? ['skill'] : [];
  return {
    ...whole,
    ...present({
      version: written([...way, 'version']),
      metadata: withVersion(whole['metadata'], written([...way, 'metadata', 'version'])),
    }),
  };
}

function fieldFault(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined || issue.path.length === 0) return issue?.message ?? 'is not a skill';
  return `field "${fieldPath('', issue.path)}" ${issue.message}`;
}

function splitWords(line: string): string[] {
  return line
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The entries that have a value. */
function present<Fields extends Record<string, unknown>>(fields: Fields): { [Key in keyof Fields]?: NonNullable<Fields[Key]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as {
    [Key in keyof Fields]?: NonNullable<Fields[Key]>;
  };
}

function withoutNull(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([field, value]) => value !== null || !names.includes(field)));
}
