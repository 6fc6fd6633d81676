import { expect, test, vi } from 'vitest';
import { Output } from '../../src/cli/terminal/output.ts';

test('a line of results holds nothing that a terminal acts on, whoever forgot to clean it; JSON stays the same value', async () => {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const output = await Output.open({ isJson: false, isQuiet: false, isVerbose: false, color: false });
    const hostile = 'a\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u200bb\u{e0041}👩‍💻 Größe';
    output.line(hostile);
    await output.stream(`\x1b[31mred\x1b[39m ${hostile}`);
    output.document({ text: hostile });
    expect(written.slice(0, 2)).toEqual(['ab👩‍💻 Größe\n', 'red ab👩‍💻 Größe\n']);
    expect(written[2]).toMatch(/^[^\p{Cc}\p{Cf}]*\u200d?[^\p{Cc}\p{Cf}]*\n$/u);
    expect(JSON.parse(written[2] ?? '')).toMatchObject({ text: hostile });
  } finally {
    write.mockRestore();
  }
});
