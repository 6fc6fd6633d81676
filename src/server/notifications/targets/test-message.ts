import { randomUUID } from 'node:crypto';
import type { Message } from './message.ts';

/** What tells a target that it is told. */
export function testMessage(): Message {
  return {
    id: `msg_${randomUUID()}`,
    notification: {
      type: 'notify:test',
      count: 0,
      title: 'shannon-dash: test',
      lines: ['Notifications arrive here.'],
      isUrgent: false,
    },
    events: [],
    letGo: 0,
  };
}
