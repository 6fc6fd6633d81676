import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import { serverMessages, type ConnectedMessage } from '../../core/protocol/messages.ts';
import { readAs } from './connect-failure.ts';

/** The server's first message. @throws ShannonDashError UNSUPPORTED it speaks another protocol, or does not fit */
export function readGreeting(url: string, greeting: unknown): ConnectedMessage {
  const { protocol } = (greeting ?? {}) as { protocol?: unknown };
  if (protocol !== limits.protocol) {
    const spoken = `${url} speaks version ${String(protocol)} of the protocol, this client version ${limits.protocol}`;
    throw new ShannonDashError('UNSUPPORTED', spoken);
  }
  return readAs(serverMessages.connected, greeting, { url, what: 'connected' });
}
