/** The eight words of 16 bits of an IPv6 address that has no IPv4 address in it. A zone, as in `fe80::1%eth0`, is left out. */
export function ipv6Words(address: string): number[] {
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const begin = wordsOf(head);
  if (tail === undefined) return begin;
  const end = wordsOf(tail);
  return [...begin, ...Array.from({ length: 8 - begin.length - end.length }, () => 0), ...end];
}

function wordsOf(part: string): number[] {
  return part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
}
