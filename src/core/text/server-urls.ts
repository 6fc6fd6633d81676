/**
 * The URLs of the servers that a text names: one, or several over one journal with a comma between. A comma inside a URL is part of it
 * as long as no new URL begins behind it.
 */
export function serverUrls(text: string): [string, ...string[]] {
  const [first = text, ...others] = text.split(/\s*,\s*(?=https?:\/\/)/i);
  return [first, ...others];
}
