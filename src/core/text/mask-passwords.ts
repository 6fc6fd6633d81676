/**
 * A text with the password of each URL in it replaced: `https://ci:***@host`. For whatever is shown or kept; a client
 * that connects needs the URL as it was given.
 */
export function maskPasswords(text: string): string {
  return text.replace(/:\/\/([^\s:@/?#]*):[^\s/?#]+@/g, '://$1:***@');
}
