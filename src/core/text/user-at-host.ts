/** The system's own words: `node:os`, which a browser has not. */
interface Os {
  hostname: () => string;
  userInfo: () => { username: string };
}

/** `user@host`: whom a program works for. So stand those in the ledger who give no name. */
export function userAtHost({ hostname, userInfo }: Os): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container may have no user of this number.
    return hostname();
  }
}
