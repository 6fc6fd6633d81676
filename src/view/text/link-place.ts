/** Where a link to a session is good, if it is not so wherever the session can be watched; else empty. @param servers that work with the journal */
export function linkPlace(servers: number | undefined): string {
  if (servers === undefined || servers <= 1) return '';
  return `${servers} servers share this journal: a link is good at the one that made it, and at those that have its file of tokens.`;
}
