/** The servers that work with a journal of this process. */
export class JoinedServers {
  readonly #ids = new Set<string>();

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  join(serverId: string): () => void {
    this.#ids.add(serverId);
    return () => void this.#ids.delete(serverId);
  }
}
