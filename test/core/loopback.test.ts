import { describe, expect, test } from 'vitest';
import { isLoopback, normalHost } from '../../src/core/loopback.ts';
import { serveArgument } from '../../src/view/text/server-arguments.ts';

describe('row 6: loopback is told by the parsed address', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'localhost:8000',
    '127.0.0.1',
    '127.0.0.2',
    '127.1',
    '2130706433',
    '127.0.0.1:80',
    '::1',
    '[::1]',
    '[::1]:5173',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
    '::FFFF:127.9.9.9',
  ])('%s is this machine', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each([
    '127.evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'localhost.',
    '127.evil',
    '128.0.0.1',
    '0.0.0.0',
    '::',
    '::2',
    '::ffff:128.0.0.1',
    'fe80::1%lo',
    'user@localhost',
    'localhost/x',
    'localhost:80:80',
    'localhost:x',
    'evil#localhost',
    '',
    ' localhost',
    '[::1',
    'loc%61lhost',
    '[127.0.0.1]',
    '127.0.0.1\\evil',
  ])('"%s" is not', (host) => {
    expect(isLoopback(host)).toBe(false);
  });

  test('every spelling of a host becomes one', () => {
    expect(['EXAMPLE.org:80', '::FFFF:10.1.2.3', '10.1.2.3', '[2001:DB8:0::1]:9', '2001:db8::1'].map(normalHost)).toEqual([
      'example.org',
      '10.1.2.3',
      '10.1.2.3',
      '[2001:db8::1]',
      '[2001:db8::1]',
    ]);
  });

  test('what the dashboard proposes to type listens where it looked', () => {
    expect(serveArgument('http://127.evil.example:8000')).toBeUndefined();
    expect(serveArgument('http://localhost:9000')).toBe(' --port 9000');
    expect(serveArgument('http://[::1]:8000')).toBe(' --host ::1');
  });
});
