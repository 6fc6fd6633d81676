import type { Notification } from '../../view/notifications/notification.ts';

/**
 * The sequence by which a terminal shows a notification of its desktop: OSC 9, or OSC 777 for those that know that one only.
 * Terminals that know neither show nothing.
 */
export function notificationSequence({ title, lines }: Pick<Notification, 'title' | 'lines'>, env: NodeJS.ProcessEnv): string {
  const [said = ''] = lines;
  const { TERM = '', KONSOLE_VERSION, VTE_VERSION, TMUX } = env;
  const takes777 = TERM.startsWith('rxvt') || KONSOLE_VERSION !== undefined || VTE_VERSION !== undefined;
  // Ended by ST, not BEL: a terminal that does not know the sequence must not ring.
  const sequence = takes777
    ? `\x1b]777;notify;shannon-dash: ${title.replaceAll(';', ',')};${said}\x1b\\`
    : `\x1b]9;shannon-dash: ${[title, said].filter((each) => each !== '').join(': ')}\x1b\\`;
  // tmux hands on what is wrapped so, where its `allow-passthrough` is on.
  return TMUX === undefined ? sequence : `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`;
}
