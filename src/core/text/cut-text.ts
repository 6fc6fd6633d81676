/**
 * The start of a text, at most so many UTF-16 units of it. A character that does not fit whole is left out: half of one
 * is no text that other programs can read.
 */
export function cutText(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text;
  return text.slice(0, isWithinPair(text, maxUnits) ? maxUnits - 1 : maxUnits);
}

/** The end of a text, at most so many UTF-16 units of it. A character that does not fit whole is left out. */
export function cutTextStart(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text;
  const from = text.length - maxUnits;
  return text.slice(isWithinPair(text, from) ? from + 1 : from);
}

/** Whether a cut here would part the two surrogates of one character. */
function isWithinPair(text: string, at: number): boolean {
  return (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
