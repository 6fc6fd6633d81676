/** A text without the byte order mark that editors on Windows write before it: it is no part of what was written. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
