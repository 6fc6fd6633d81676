import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JournalEvent } from '../../journal/journal.ts';
import { isToldOf } from '../../view/notifications/told-events.ts';
import { versionOf } from '../access/own-file.ts';
import { unrestricted } from '../access/principal.ts';
import type { ServerLog } from '../server-log.ts';
import type { Workspaces } from '../workspace/workspaces.ts';
import type { WorkspaceAccess } from '../workspace/workspace-access.ts';
import { composeMessage } from './compose.ts';
import { EventFollower } from './event-follower.ts';
import type { NotificationOptions } from './notification-options.ts';
import { readTargets, type Target } from './notification-settings.ts';
import { ProgressFile, type Progress } from './progress-file.ts';
import { TargetSender, type SenderOptions } from './target-sender.ts';

/** How often the file with the targets is looked at. */
const lookMs = 1_000;
/** How soon a change of what is untold is written, and how often at least while events come. */
const [writeMs, writeAtLeastMs] = [500, 60_000];
/** How long the end of the server waits for what is under way. */
const endMs = 1_000;

/**
 * Tells the targets that the server's owner has named what needs a person and what has ended, in the server's own workspace. Each
 * target is told by and by, from where it was before a restart.
 */
export class Notifications {
  readonly #file: string;
  readonly #progress: ProgressFile | undefined;
  readonly #progressPath: string | undefined;
  readonly #access: WorkspaceAccess;
  readonly #log: ServerLog;
  readonly #look: NodeJS.Timeout;
  readonly #senders = new Map<string, TargetSender>();
  #follower: EventFollower | undefined;
  /** Whether the follower stands where its places say: what is not caught up must not be written as if it were. */
  #isCaughtUp = false;
  #write: NodeJS.Timeout | undefined;
  #writtenAt = 0;
  #version: string;
  #baseUrl: string | undefined;
  #isProblemTold = false;

  /** @param publicUrl the URL by which browsers reach the server where that is not its address */
  constructor(workspaces: Workspaces, { file, progressFile }: NotificationOptions, publicUrl: string | undefined, log: ServerLog) {
    this.#file = file;
    this.#progressPath = progressFile;
    this.#progress = progressFile === undefined ? undefined : new ProgressFile(progressFile);
    this.#access = workspaces.as(unrestricted(undefined, 'notifications'));
    this.#log = log;
    this.#baseUrl = publicUrl;
    this.#version = versionOf(file);
    this.#takeFile();
    this.#look = setInterval(() => this.#lookAtFile(), lookMs);
    this.#look.unref();
  }

  /** The server listens here: without a public URL, links lead there. */
  announce(url: string): void {
    this.#baseUrl ??= url;
  }

  /** Ends what is under way, and writes down what is untold. */
  async close(): Promise<void> {
    clearInterval(this.#look);
    clearTimeout(this.#write);
    const had = this.#follower !== undefined;
    this.#follower?.close();
    await Promise.race([Promise.all([...this.#senders.values()].map((each) => each.close())), delay(endMs, undefined, { ref: false })]);
    if (had) await this.#writeProgress();
  }

  #lookAtFile(): void {
    const version = versionOf(this.#file);
    if (version !== this.#version) {
      this.#version = version;
      this.#takeFile();
    }
    if (this.#follower !== undefined && Date.now() - this.#writtenAt > writeAtLeastMs) this.#writeSoon();
  }

  #takeFile(): void {
    try {
      this.#take(readTargets(this.#file));
    } catch (error) {
      const stays = this.#senders.size > 0 ? 'Notifications go on as before' : 'There are no notifications';
      this.#log.error(`${stays}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #take(targets: ReadonlyMap<string, Target>): void {
    const before = this.#follower === undefined && targets.size > 0 ? this.#readProgress() : undefined;
    for (const [name, sender] of this.#senders) {
      if (targets.has(name)) continue;
      void sender.close();
      this.#senders.delete(name);
    }
    for (const [name, target] of targets) {
      const known = this.#senders.get(name);
      if (known?.isFor(target) === true) continue;
      const untold = known?.untold ?? before?.untold.get(name) ?? [];
      void known?.close();
      const options = { name, target, log: this.#log, onChange: () => this.#writeSoon() };
      const compose: SenderOptions['compose'] = (references, letGo) =>
        composeMessage(references, { access: this.#access, target, letGo, baseUrl: this.#baseUrl });
      this.#senders.set(name, new TargetSender({ ...options, compose }, untold));
    }
    if (targets.size > 0) this.#follow(before);
    else this.#stop();
  }

  #follow(before: Progress | undefined): void {
    if (this.#follower !== undefined) return;
    const onProblem = (error: unknown) => this.#log.error({ err: error }, 'Notifications do not follow the journal');
    const follower = new EventFollower({
      access: this.#access,
      wants: (type) => [...this.#senders.values()].some((sender) => sender.wantsType(type)),
      take: (event, epoch) => this.#takeEvent(event, epoch),
      onProblem,
    });
    this.#follower = follower;
    this.#isCaughtUp = false;
    follower.follow(before?.sessions).then(() => {
      this.#isCaughtUp = true;
      this.#writeSoon();
    }, onProblem);
  }

  /** Without targets nobody follows: whoever names one later is told what comes from then on. */
  #stop(): void {
    this.#follower?.close();
    this.#follower = undefined;
    clearTimeout(this.#write);
    this.#write = undefined;
    if (this.#progressPath !== undefined) rmSync(this.#progressPath, { force: true });
  }

  #takeEvent({ event }: JournalEvent, epoch: string): void {
    if (!isToldOf(event)) return;
    const { session_id, seq, type } = event;
    for (const sender of this.#senders.values()) if (sender.wants(event)) sender.add({ session_id, epoch, seq, type, at: Date.now() });
  }

  #readProgress(): Progress | undefined {
    try {
      return this.#progress?.read();
    } catch (error) {
      this.#log.error(`Notifications begin anew: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #writeSoon(): void {
    this.#write ??= setTimeout(() => {
      this.#write = undefined;
      void this.#writeProgress();
    }, writeMs);
  }

  async #writeProgress(): Promise<void> {
    if (this.#follower === undefined || !this.#isCaughtUp) return;
    this.#writtenAt = Date.now();
    const untold = new Map([...this.#senders].map(([name, sender]) => [name, sender.untold]));
    try {
      await this.#progress?.write({ sessions: this.#follower.places, untold });
      this.#isProblemTold = false;
    } catch (error) {
      if (!this.#isProblemTold)
        this.#log.error({ err: error }, 'How far notifications have come is not written: after a restart some may come twice');
      this.#isProblemTold = true;
    }
  }
}
