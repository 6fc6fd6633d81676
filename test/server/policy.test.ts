import { expect, test } from 'vitest';
import { MemoryJournal } from '../../src/journal/memory/memory-journal.ts';
import { may, maySend, verbTable, type Role, type Verb } from '../../src/core/access.ts';
import { commandTypes } from '../../src/core/protocol/command.ts';
import { mayReach } from '../../src/server/access/policy.ts';
import { unrestricted, type Principal } from '../../src/server/access/principal.ts';
import { Workspace } from '../../src/server/workspace/workspace.ts';
import type { WorkspaceAccess } from '../../src/server/workspace/workspace-access.ts';

const verbs: Record<Exclude<Verb, 'mintLink'>, (access: WorkspaceAccess, session: string) => unknown> = {
  health: (access) => access.health(),
  sessions: (access) => access.sessions(),
  state: (access, session) => access.state(session),
  history: (access, session) => access.history(session, 1).read({ after: 0, limit: 1 }),
  watch: (access, session) => access.watch(session, watcher, { filter: () => true }).then((subscription) => subscription.close()),
  watchAll: (access) => access.watchAll(watcher, () => true).close(),
  create: (access, session) => access.create({ session_id: `${session}-new` }),
  delete: (access, session) => access.delete(session),
  publish: (access, session) => access.publish({ session_id: session, events: [{ type: 'test:step' }] }, { wantsAnswer: true }),
  command: (access, session) => access.command({ type: 'HALT', session_id: session, timeout_ms: 10, fields: {} }),
  resend: (access, session) => access.resend({ session_id: session, resend_of: 'c', timeout_ms: 10 }),
  cancel: (access, session) => access.cancel({ session_id: session, command_id: 'c' }),
  ledger: (access, session) => access.ledger(session, { limit: 10 }),
  attach: (access, session) =>
    access.attach(link, { session_id: session, instance_id: 'i', capabilities: [], reattach: false, take_over: true }),
  update: (access, session) => access.update(link, session, { command_id: 'c', status: 'applied' }),
  decision: (access, session) => access.decision(session, 'd'),
  share: (access, session) => access.checkAccess('share', session),
  answerLink: (access, session) => access.answerLink({ sessionId: session, decisionId: 'd', token: 't' }, () => ({ choice: 'a' })),
  skills: (access) => access.skills({}),
  stats: (access) => access.stats(),
  metrics: (access) => access.metrics(),
  audit: (access) => access.audit({ limit: 10 }),
  analytics: (access) => access.analytics({ by: 'day' }),
  backup: (access) => access.backup(),
  import: (access, session) => access.import()(recordingOf(session), { existing: 'refuse' }),
};
async function* recordingOf(session: string): AsyncGenerator<Uint8Array> {
  const origin = { created_at: '2026-01-01T00:00:00.000Z', skills: [], metadata: {} };
  yield Buffer.from(JSON.stringify({ recording: 1, session_id: session, epoch: 'e', seq: 0, origin, versions: { shannon_dash: '1' } }));
}

const watcher = {
  deliver: () => undefined,
  replay: () => Promise.resolve(true),
  tell: () => undefined,
  tellPaced: () => Promise.resolve(true),
  drained: () => Promise.resolve(),
  cut: () => undefined,
};
const link = { execute: () => Promise.resolve(), supersede: () => undefined, forget: () => undefined };
/** Of the verbs that name a session, `create` names a new one; these name none. */
const ofNoSession: readonly string[] = ['health', 'sessions', 'watchAll', 'skills', 'audit', 'analytics'];
/** These tell of every session. */
const ofAllSessions: readonly string[] = ['stats', 'metrics', 'backup'];

/** A journal that tells which sessions were read. */
class WatchedJournal extends MemoryJournal {
  readonly asked: string[] = [];

  override read(...args: Parameters<MemoryJournal['read']>): ReturnType<MemoryJournal['read']> {
    this.asked.push(args[0]);
    return super.read(...args);
  }
}

async function openWorkspace(journal: MemoryJournal): Promise<Workspace> {
  await journal.append('mine:1', [{ type: 'test:step', data: {}, timestamp: '2026-01-01T00:00:00.000Z' }]);
  await journal.append('other', [{ type: 'test:step', data: {}, timestamp: '2026-01-01T00:00:00.000Z' }]);
  return Workspace.open({ journal, skillFolders: [], onProblem: () => undefined, onWarning: () => undefined });
}

/** What a verb ends with: the code of its error, or `done`. */
async function endOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return 'done';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

test('a principal whose globs do not match a session is refused with every verb that names one, and nothing of it is read', async () => {
  const journal = new WatchedJournal();
  const workspace = await openWorkspace(journal);
  const limited: Principal = { ...unrestricted('ana', 'ana'), sessions: ['mine:*'] };
  // The workspace itself takes every session up when it opens.
  await workspace.as(unrestricted(undefined, 'http')).sessions();
  journal.asked.length = 0;
  for (const [verb, call] of Object.entries(verbs)) {
    const end = await endOf(() => call(workspace.as(limited), 'other'));
    expect([verb, end]).toEqual([verb, ofAllSessions.includes(verb) ? 'FORBIDDEN' : ofNoSession.includes(verb) ? 'done' : 'NOT_FOUND']);
  }
  expect(journal.asked).not.toContain('other');
  expect(await workspace.as(limited).sessions()).toMatchObject({ sessions: [{ session_id: 'mine:1' }] });
  // Nothing but its own session is meant by a command without one.
  expect(await workspace.as(limited).command({ type: 'HALT', timeout_ms: 10, fields: {} })).toMatchObject({
    session_id: 'mine:1',
  });
  const all = await workspace.as(limited).command({ type: 'HALT', session_id: '*', timeout_ms: 10, fields: {} });
  expect(all).toMatchObject({ results: [{ session_id: 'mine:1' }] });
  await workspace.close();
});

test('a role without a verb is refused before anything else is looked at', async () => {
  const workspace = await openWorkspace(new MemoryJournal());
  const nobody = { ...unrestricted('x', 'x'), role: 'nobody' } as unknown as Principal;
  for (const [verb, call] of Object.entries(verbs)) {
    expect([verb, await endOf(() => call(workspace.as(nobody), 'mine:1'))]).toEqual([verb, 'FORBIDDEN']);
  }
  await workspace.close();
});

test('the table and the globs are pure', () => {
  const allowed = (role: Role | 'anonymous') => Object.keys(verbTable).filter((verb) => may(role, verb as Verb));
  const reads = ['health', 'sessions', 'analytics', 'state', 'history', 'watch', 'watchAll', 'ledger', 'decision', 'skills'];
  expect(allowed('anonymous')).toEqual(['health', 'answerLink']);
  expect(allowed('viewer')).toEqual([...reads, 'answerLink']);
  expect(allowed('operator')).toEqual([...reads, 'command', 'resend', 'cancel', 'mintLink', 'share', 'answerLink']);
  expect(allowed('orchestrator')).toEqual([...reads, 'create', 'publish', 'attach', 'update', 'answerLink']);
  expect(allowed('admin')).toEqual(Object.keys(verbTable));
  const sent = (role: Role, canSteer: boolean) => commandTypes.filter((type) => maySend({ role, canSteer }, type));
  expect([sent('viewer', true), sent('orchestrator', true)]).toEqual([[], []]);
  expect(sent('operator', false).toSorted()).toEqual(['DECISION', 'HALT', 'RESUME', 'STOP']);
  expect([sent('operator', true), sent('admin', false)]).toEqual([commandTypes, commandTypes]);
  const principal = { ...unrestricted(undefined, 'http'), sessions: ['a', 'b:*'] };
  expect(['a', 'aa', 'b', 'b:1'].map((session) => mayReach(principal, session))).toEqual([true, false, false, true]);
});

test('a command is sent again by who may send its type, and taken back by those and by its sender', async () => {
  const workspace = await openWorkspace(new MemoryJournal());
  const session_id = 'mine:1';
  const operator = (by: string, canSteer: boolean): Principal => ({ ...unrestricted(by, by), role: 'operator', canSteer });
  const send = (command_id: string) =>
    workspace
      .as(operator('ana', true))
      .command({ type: 'INJECT', session_id, command_id, timeout_ms: 10, fields: { skill_name: 'x', position: 'next' } });
  const cancel = (as: Principal, command_id: string) => endOf(() => workspace.as(as).cancel({ session_id, command_id }));
  const resend = (as: Principal) => endOf(() => workspace.as(as).resend({ session_id, resend_of: 'own', timeout_ms: 10 }));
  for (const id of ['own', 'others']) await send(id);
  expect(await cancel(operator('ben', false), 'own')).toBe('FORBIDDEN');
  expect(await cancel(operator('ana', false), 'own')).toBe('done');
  expect(await cancel(operator('ben', true), 'others')).toBe('done');
  expect([await resend(operator('ana', false)), await resend(operator('ben', false))]).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  expect(await resend(operator('ben', true))).toBe('done');
  await workspace.close();
});
