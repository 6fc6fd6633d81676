import { expect, test } from 'vitest';
import { ShannonDashError } from '../../src/core/protocol/errors.ts';
import { maskPasswords } from '../../src/core/text/mask-passwords.ts';

test.each([
  ['https://ci:secret@host:8000/x', 'https://ci:***@host:8000/x'],
  ['cannot reach http://:secret@h and http://u:s@cret@h/?q=a@b', 'cannot reach http://:***@h and http://u:***@h/?q=a@b'],
  ['http://[::1]:8000/a@b, http://user@host:80 mail:me@there', 'http://[::1]:8000/a@b, http://user@host:80 mail:me@there'],
])('%s', (text, masked) => {
  expect(maskPasswords(text)).toBe(masked);
  expect(new ShannonDashError('UNREACHABLE', text).message).toBe(masked);
});
