import { parentPort } from 'node:worker_threads';
import { parseSkillFile, SkillFileError, type Skill, type SkillScope } from './skill-file.ts';

/** A file to read the skills of. */
export interface SkillRequest {
  path: string;
  text: string;
  scope: SkillScope;
  isAtTop: boolean;
}

/** Its skills and how many characters of JSON they are; or why there are none, as a sentence. */
export type SkillReply = { skills: Skill[]; chars: number } | { fault: string };

/** A thread of its own reads what strangers wrote: a small file can take a parser seconds. */
parentPort?.on('message', ({ path, text, scope, isAtTop }: SkillRequest) => {
  parentPort?.postMessage(replyTo({ path, text, scope, isAtTop }));
});

// It is loaded: from now on time is that of the files.
parentPort?.postMessage('ready');

function replyTo({ path, text, scope, isAtTop }: SkillRequest): SkillReply {
  try {
    const skills = parseSkillFile(path, text, scope, isAtTop);
    return { skills, chars: JSON.stringify(skills).length };
  } catch (error) {
    return { fault: error instanceof SkillFileError ? error.message : `Skill file ${path} cannot be read: ${String(error)}` };
  }
}
