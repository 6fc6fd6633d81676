/** Where a server finds whom to tell. */
export interface NotificationOptions {
  /** The file with the targets, which need not exist. It is of the server's own user alone. */
  file: string;
  /** Where it is kept how far notifications have come; absent for a journal that does not outlast the server. */
  progressFile?: string | undefined;
}
