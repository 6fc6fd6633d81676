import { Failure } from '../../../failure.ts';
import { checkSettings, isBare, withHooks, type WantedHooks } from './with-hooks.ts';
import { readInstallRecord, recordOf, removeInstallRecord, undone, withInstallRecord, type InstallRecord } from './install-record.ts';
import { withoutOwnHooks } from './own-hooks.ts';
import { divided, foldersFor, readSettingsFile, removeSettingsFile, writeSettingsFile, type SettingsFile } from './settings-file.ts';

/** A change of a file of settings that can be shown, and made. */
export interface HooksChange {
  path: string;
  /** Undefined: there is no file. */
  before: string | undefined;
  after: string | undefined;
  /** @throws Failure what was refused */
  make: () => void;
}

/** How an agent reads its settings. */
export interface SettingsForm {
  readsComments: boolean;
  /** As its maker calls the agent. */
  title: string;
}

/** Puts our hooks in the file; those of an older installation go. @throws Failure the file is not as the agent reads it */
export function installing(path: string, wanted: WantedHooks, form: SettingsForm): HooksChange {
  const file = readSettingsFile(path);
  const record = readInstallRecord(path);
  const { isNew, text: original } = originalOf(file, record, wanted, form);
  const after = refused(path, form, () => {
    const [mark, rest] = divided(original);
    return mark + withHooks(rest, wanted);
  });
  const folders = file.text === undefined ? foldersFor(file) : (record?.folders ?? []);
  return {
    path,
    before: file.text,
    after,
    make: () =>
      withInstallRecord(recordOf({ path, isNew, folders }, original, after), () => {
        if (after !== file.text) writeSettingsFile(file, after);
      }),
  };
}

/** Takes our hooks out of the file: all is as it was, or, where somebody has changed it since, only they go. @throws Failure */
export function uninstalling(path: string, wanted: WantedHooks, form: SettingsForm): HooksChange {
  const file = readSettingsFile(path);
  const record = readInstallRecord(path);
  if (file.text === undefined) return { path, before: undefined, after: undefined, make: () => removeInstallRecord(path) };
  const { isNew, text } = originalOf(file, record, wanted, form);
  const after = isNew && isBare(divided(text)[1], wanted.needs) ? undefined : text;
  return {
    path,
    before: file.text,
    after,
    make: () => {
      if (after === undefined) removeSettingsFile(file, record?.folders ?? []);
      else if (after !== file.text) writeSettingsFile(file, after);
      removeInstallRecord(path);
    },
  };
}

/** The text without what was installed, and whether a file was made for that. */
function originalOf(
  { path, text }: SettingsFile,
  record: InstallRecord | undefined,
  { agent }: WantedHooks,
  form: SettingsForm,
): { isNew: boolean; text: string } {
  if (text === undefined) return { isNew: true, text: '' };
  const isNew = record?.isNew ?? false;
  const before = record === undefined ? undefined : undone(text, record);
  if (before !== undefined) return { isNew, text: before };
  const [mark, rest] = divided(text);
  return refused(path, form, () => {
    checkSettings(rest, form.readsComments);
    return { isNew, text: mark + withoutOwnHooks(rest, agent) };
  });
}

/** @throws Failure what is wrong with the file */
function refused<Result>(path: string, { title }: SettingsForm, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new Failure('INVALID', `${path} is not as ${title} reads it: ${cause.message}`, {
      hints: ['it is left as it is: correct it, and try again'],
      cause,
    });
  }
}
