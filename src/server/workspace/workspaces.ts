import { ShannonDashError } from '../../core/protocol/errors.ts';
import { limits } from '../../core/protocol/limits.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Principal } from '../access/principal.ts';
import type { ChildTokenText } from '../access/tokens/child-tokens.ts';
import { closeAll } from '../close-all.ts';
import { Workspace, type WorkspaceOptions } from './workspace.ts';
import type { WorkspaceAccess } from './workspace-access.ts';

export interface WorkspacesOptions {
  /** Of the server's own workspace. */
  own: WorkspaceOptions;
  /** Opens the journal of a tenant; absent where the server keeps none for tenants. */
  openJournal?: ((tenant: string) => Promise<Journal>) | undefined;
}

/**
 * The server's own workspace, and one for each tenant that a token names. A tenant's has a journal of its own and everything that is
 * made of it, so nothing crosses: neither lists nor counts, errors, figures or ids.
 */
export class Workspaces {
  readonly own: Workspace;
  readonly #options: WorkspacesOptions;
  /** By the name of the tenant; undefined while it is being opened, and where it could not be. */
  readonly #tenants = new Map<string, Workspace | undefined>();
  readonly #opening = new Set<Promise<void>>();
  #url: string | undefined;
  #isClosed = false;

  private constructor(own: Workspace, options: WorkspacesOptions) {
    this.own = own;
    this.#options = options;
  }

  static async open(options: WorkspacesOptions): Promise<Workspaces> {
    return new Workspaces(await Workspace.open(options.own), options);
  }

  /**
   * What a principal can do in the workspace of its tenant.
   * @param address from where it calls, where that is to be kept
   * @throws ShannonDashError UNAVAILABLE the workspace is not open
   */
  as(principal: Principal, address?: string): WorkspaceAccess {
    const workspace = principal.tenant === undefined ? this.own : this.#tenants.get(principal.tenant);
    if (workspace !== undefined) return workspace.as(principal, address);
    throw new ShannonDashError('UNAVAILABLE', "The workspace of this tenant is not open; try again, and see the server's log");
  }

  /** The principal of the token of an orchestrator's child; undefined where it is not good, or not any more. */
  findChild(token: ChildTokenText): Principal | undefined | Promise<Principal | undefined> {
    const workspace = token.tenant === undefined ? this.own : this.#tenants.get(token.tenant);
    return workspace?.findChild(token);
  }

  /** Opens the workspace of a tenant, once. What keeps it from opening is logged. */
  async prepare(tenant: string): Promise<void> {
    const { openJournal, own } = this.#options;
    if (this.#tenants.has(tenant) || this.#isClosed) return;
    if (openJournal === undefined || this.#tenants.size >= limits.tenants) {
      const reason =
        openJournal === undefined ? 'this server keeps no journals for tenants' : `a server has at most ${limits.tenants} tenants`;
      own.onWarning(`The workspace of tenant ${tenant} is not opened: ${reason}`);
      return;
    }
    this.#tenants.set(tenant, undefined);
    const opening = this.#open(tenant, openJournal).catch((error: unknown) => {
      // With its next token it is tried again.
      this.#tenants.delete(tenant);
      own.onWarning(`The workspace of tenant ${tenant} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#opening.add(opening);
    await opening.finally(() => this.#opening.delete(opening));
  }

  /** Writes beside each journal where this server listens. */
  announce(url: string): void {
    this.#url = url;
    for (const workspace of [this.own, ...this.#tenants.values()]) workspace?.announce(url);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#opening);
    await closeAll([...this.#tenants.values(), this.own].map((workspace) => () => workspace?.close()));
  }

  async #open(tenant: string, openJournal: (tenant: string) => Promise<Journal>): Promise<void> {
    const journal = await openJournal(tenant);
    // The folders of skills, and the receiver of traces, are those of the person that runs the server.
    const workspace = await Workspace.open({ ...this.#options.own, journal, skillFolders: [], traceExport: undefined });
    if (this.#url !== undefined) workspace.announce(this.#url);
    this.#tenants.set(tenant, workspace);
  }
}
