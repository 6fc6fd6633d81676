import { accessPage } from './access-page.ts';
import { commandLinePage } from './command-line-page.ts';
import { manPage } from './man-page.ts';
import { eventsPage, httpPage, limitsPage, socketsPage } from './protocol-pages.ts';

/** Every page that is generated, by its path below the project. */
export function generatedPages(): Map<string, string> {
  return new Map([
    ['docs/reference/access.md', accessPage()],
    ['docs/reference/command-line.md', commandLinePage()],
    ['docs/reference/events-and-commands.md', eventsPage()],
    ['docs/reference/http.md', httpPage()],
    ['docs/reference/limits.md', limitsPage()],
    ['docs/reference/socket-io.md', socketsPage()],
    ['docs/man/shannon-dash.1', manPage()],
  ]);
}
