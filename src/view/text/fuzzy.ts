/**
 * How well a text fits what was typed: 0 begins with it, 1 has a word that does, 2 has it, 3 has its letters in order. Undefined: it
 * does not fit.
 */
function fitOf(typed: string, text: string): 0 | 1 | 2 | 3 | undefined {
  const [wanted, given] = [typed.toLowerCase(), text.toLowerCase()];
  if (given.startsWith(wanted)) return 0;
  if (given.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted))) return 1;
  if (given.includes(wanted)) return 2;
  let next = 0;
  for (const character of wanted) {
    const found = given.indexOf(character, next);
    if (found === -1) return undefined;
    next = found + character.length;
  }
  return 3;
}

/** What fits, the best first, and otherwise in the order given. */
export function fitting<Item>(typed: string, items: readonly Item[], textOf: (item: Item) => string): Item[] {
  const ranked = items.flatMap((item) => {
    const fit = fitOf(typed, textOf(item));
    return fit === undefined ? [] : [{ item, fit }];
  });
  return ranked.sort((one, other) => one.fit - other.fit).map(({ item }) => item);
}
