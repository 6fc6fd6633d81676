import { randomBytes } from 'node:crypto';
import { publish, linesOf, type Answer } from './client.ts';

/** Publishes, and keeps books of what was acknowledged: which text stands at which place of which session. */
export class Books {
  /** By session, the text at each place that was acknowledged. */
  readonly acknowledged = new Map<string, Map<number, string>>();
  readonly refusals = new Set<string>();
  refused = 0;
  #count = 0;

  get total(): number {
    return [...this.acknowledged.values()].reduce((sum, each) => sum + each.size, 0);
  }

  /** @param chars of each event; what it says is nowhere twice */
  async publish(url: string, session: string, count = 10, chars = 300): Promise<Answer> {
    const marks = Array.from(
      { length: count },
      () => `${session}-${++this.#count}-`.padEnd(12, '.') + randomBytes(chars / 2).toString('hex'),
    );
    const answer = await publish(
      url,
      session,
      marks.map((mark) => ({ type: 'test:step', data: { mark } })),
    );
    const { first_seq, code, error } = answer.body;
    if (answer.status === 200 && first_seq !== undefined) {
      const kept = this.acknowledged.get(session) ?? new Map<number, string>();
      for (const [at, mark] of marks.entries()) kept.set(first_seq + at, mark);
      this.acknowledged.set(session, kept);
    } else {
      this.refused += count;
      this.refusals.add(`${answer.status} ${code}: ${error}`);
    }
    return answer;
  }

  /** The texts that were acknowledged and that a server does not have at their places. */
  async missing(url: string): Promise<string[]> {
    const missing: string[] = [];
    for (const [session, kept] of this.acknowledged) {
      const lines = await linesOf(url, session).catch(() => []);
      const bySeq = new Map(lines.map((line) => [Number(/"seq":(\d+)/.exec(line)?.[1]), line]));
      for (const [seq, mark] of kept) if (bySeq.get(seq)?.includes(`"${mark}"`) !== true) missing.push(mark);
    }
    return missing;
  }

  /** How many of the texts that were acknowledged do not stand in a text. */
  missingIn(text: string): number {
    return [...this.acknowledged.values()].flatMap((kept) => [...kept.values()]).filter((mark) => !text.includes(`"${mark}"`)).length;
  }
}
