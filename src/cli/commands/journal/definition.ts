import type { CommandDefinition } from '../../command-definition.ts';

/** What can be done with a journal. */
const journalActions = ['info', 'check', 'backup', 'compact', 'rebuild-rollups'] as const;
export type JournalAction = (typeof journalActions)[number];

/** The options of `journal`. */
export interface JournalOptions {
  repair?: boolean;
}

/** `journal`: the care of the file in which everything is kept. */
export const journalDefinition: CommandDefinition = {
  name: 'journal',
  summary: 'Check, back up, repair and compact the journal',
  arguments: [
    { name: 'action', kind: 'text', choices: journalActions },
    { name: 'file', kind: 'file', isOptional: true },
  ],
  examples: ['journal backup ./journal-$(date +%F).db', 'journal check --repair', 'journal info --json'],
  options: [
    { flags: '--journal <path>', summary: "the journal, if not the settings'", kind: 'file' },
    { flags: '--repair', summary: 'check: keep all that can be read in a new file', onlyWith: ['check'] },
  ],
  notes: [
    '',
    'backup writes a new file, also while a server runs: the journal at one moment.',
    'To restore it, stop the server, move journal.db, -wal and -log away, and put the',
    'file in the place of journal.db. With --url of another machine, an admin gets a',
    'backup from there. check leaves everything as it is; --repair keeps the old file',
    'beside the new one. rebuild-rollups has all that analytics are made of folded',
    'anew from the events, by the next server. It, compact and --repair need the',
    'server stopped.',
  ],
};
