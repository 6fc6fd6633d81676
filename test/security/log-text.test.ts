import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newPlace, StartedProgram } from '../cli/started-program.ts';
import { bareRequest } from '../helpers/bare-request.ts';

/** What a terminal would act on, or nobody would see; a line of JSON ends with the only line break. */
// oxlint-disable-next-line no-misleading-character-class
const raw = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

describe('row 20: no text from outside reaches the log or a terminal as it is', () => {
  test('neither a page, nor a host, nor the path of the journal', async () => {
    const place = newPlace();
    const journal = join(place.folder, 'a\u001b[31m\u009b2J\u202eb\u200b\u007f.db');
    const plain = new StartedProgram(['serve', '--port', '0', '--journal', journal], place);
    await plain.until(({ stdout }) => stdout.includes('next'));
    expect(plain.stdout).not.toMatch(raw);
    const { port } = new URL(/http:\S+/.exec(plain.stdout)?.[0] ?? '');
    // As bytes of Latin-1, which is all that a header holds.
    await bareRequest(Number(port), '/health', { headers: { origin: 'http://evil\u009b2J\u0085.example' } });
    await bareRequest(Number(port), '/health', { headers: { host: 'evil\u009b2J\u0085.example' } });
    await plain.until(({ stderr }) => stderr.includes('"rule":"origin"') && stderr.includes('"rule":"host"'));
    plain.child.kill('SIGTERM');
    const { stderr } = await plain.ended;
    expect(stderr).not.toMatch(raw);
    const line = stderr.split('\n').find((each) => each.includes('"rule":"origin"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ rule: 'origin', origin: 'http://evil\u009b2J\u0085.example' });
    const json = new StartedProgram(['serve', '--port', '0', '--json', '--journal', journal], place);
    await json.until(({ stdout }) => stdout.includes('\n'));
    expect(json.stdout).not.toMatch(raw);
    expect(JSON.parse(json.stdout)).toMatchObject({ journal });
  });
});
