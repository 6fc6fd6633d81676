/** The arguments that were meant by a command that there is not: other programs have it, or one of ours goes by another name. */
export function withOtherNames(args: readonly string[]): readonly string[] {
  const [first = '', ...rest] = args;
  // `decide` asks; with an id and a choice somebody wants to answer.
  const [decision = '', choice = ''] = rest;
  const isAnswer = first === 'decide' && rest.length === 2 && !decision.startsWith('-') && !choice.startsWith('-');
  if (isAnswer) return ['send', 'DECISION', '--decision', decision, '--choice', choice];
  const meant = first === 'help' ? helpOf(rest) : otherNames.get(first);
  return meant === undefined ? args : [...meant, ...(first === 'help' ? [] : rest)];
}

const otherNames: ReadonlyMap<string, readonly string[]> = new Map([
  ['halt', ['send', 'HALT']],
  ['pause', ['send', 'HALT']],
  ['resume', ['send', 'RESUME']],
  ['continue', ['send', 'RESUME']],
  ['stop', ['send', 'STOP']],
  ['kill', ['send', 'STOP']],
  ['rollback', ['send', 'ROLLBACK']],
  ['redirect', ['send', 'REDIRECT']],
  ['inject', ['send', 'INJECT']],
  ['answer', ['send', 'DECISION']],
  ['end', ['send', 'STOP']],
  ['log', ['logs']],
  ['output', ['logs']],
  ['cat', ['logs']],
  ['tail', ['logs', '--follow']],
  ['history', ['sessions']],
  ['ps', ['sessions']],
  ['ls', ['sessions']],
  ['list', ['sessions']],
  ['session', ['sessions']],
  ['show', ['sessions', 'show']],
  ['info', ['sessions', 'show']],
  ['rm', ['sessions', 'rm']],
  ['remove', ['sessions', 'rm']],
  ['delete', ['sessions', 'rm']],
  ['archive', ['sessions', 'archive']],
  ['unarchive', ['sessions', 'unarchive']],
  ['pin', ['sessions', 'pin']],
  ['unpin', ['sessions', 'unpin']],
  ['status', ['sessions']],
  ['share', ['open', '--share']],
  ['attach', ['watch']],
  ['dashboard', ['watch']],
  ['top', ['watch']],
  ['wait', ['watch', '--until', 'done']],
  ['page', ['open']],
  ['cost', ['analytics']],
  ['usage', ['analytics']],
  ['tokens', ['token', 'list']],
  ['version', ['--version']],
  ['start', ['serve']],
  ['server', ['serve']],
]);

function helpOf([command, ...rest]: readonly string[]): string[] {
  const meant = command === undefined ? [] : (otherNames.get(command) ?? [command]);
  return [...meant, ...rest, '--help'];
}
