import type { Worker } from 'node:worker_threads';
import { startOwnThread } from '../../executable/own-thread.ts';
import { SkillFileError, type Skill } from './skill-file.ts';
import type { SkillReply, SkillRequest } from './skill-worker.ts';

/** How long one file may take, and how much memory all of them; then the thread is ended, and the file told. */
const skillParserLimits = { fileMs: 2_000, startMs: 30_000, memoryMb: 128 } as const;

/** Reads skill files one at a time in a thread that is there only while there is something to read. */
export class SkillParser {
  #worker: Promise<Worker> | undefined;

  /** @throws SkillFileError what is wrong with the file, or that it takes too long */
  async parse(request: SkillRequest): Promise<{ skills: Skill[]; chars: number }> {
    const worker = await (this.#worker ??= started()).catch(async (error: unknown) => {
      await this.close();
      throw error;
    });
    const reply = await this.#ask(worker, request);
    if ('fault' in reply) throw new SkillFileError(request.path, reply.fault, { isSentence: true });
    return reply;
  }

  /** Ends the thread; the next file has another. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await (await worker?.catch(() => undefined))?.terminate();
  }

  async #ask(worker: Worker, request: SkillRequest): Promise<SkillReply> {
    const { promise, resolve, reject } = Promise.withResolvers<SkillReply>();
    const ended = (why: string) => reject(new SkillFileError(request.path, why));
    const onEnd = () => ended('needs more memory to read than is given to it');
    const timer = setTimeout(() => ended(`takes longer than ${skillParserLimits.fileMs} ms to read`), skillParserLimits.fileMs);
    worker.once('message', resolve).once('error', onEnd).once('exit', onEnd);
    worker.postMessage(request);
    try {
      return await promise;
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      clearTimeout(timer);
      worker.off('message', resolve).off('error', onEnd).off('exit', onEnd);
    }
  }
}

/** Resolves when it has loaded all it needs: its start is not the time of the first file. */
async function started(): Promise<Worker> {
  // Run from its sources in tests.
  const file = import.meta.url.endsWith('.ts') ? './skill-worker.ts' : './skill-worker.js';
  const worker = startOwnThread(new URL(file, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: skillParserLimits.memoryMb },
    // Arguments of this process (a loader, an inspector) are not the thread's.
    execArgv: process.execArgv.filter((each) => each.startsWith('--disable-warning')),
  });
  worker.unref();
  // An error is told to whoever asks; one that nobody waits for must not end the process.
  worker.on('error', () => undefined);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = () => reject(new Error('the thread that reads skills does not start'));
  const timer = setTimeout(late, skillParserLimits.startMs);
  worker
    .once('message', () => resolve())
    .once('error', reject)
    .once('exit', late);
  try {
    await promise;
    return worker;
  } catch (error) {
    await worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    worker.off('error', reject).off('exit', late);
  }
}
