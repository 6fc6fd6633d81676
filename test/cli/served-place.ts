import { http, publish, startServer, type Json } from '../helpers/start-server.ts';
import { callProgram } from './called-program.ts';
import { newPlace, runProgram, StartedProgram, type End, type Place } from './started-program.ts';

/** As many events as a server takes at once. */
const batch = 1_000;

/** A server in this process, and a place whose environment points to it: for tests of what a command does with a server. */
export interface PlaceOfServer extends Place {
  url: string;
  /** Publishes events to a session. */
  publish(session: string, ...events: object[]): Promise<void>;
  /** Sends a command to a session. @returns the answer */
  command(session: string, type: string, fields?: Json): Promise<Json>;
  /** Calls the program, in this process. */
  call(...args: string[]): ReturnType<typeof callProgram>;
  /** Runs the program to its end, in a process of its own. */
  run(...args: string[]): Promise<End>;
  start(...args: string[]): StartedProgram;
  /** Ends the server. */
  close(): Promise<void>;
  /** Ends the server; another one comes on the same port and journal. */
  restart(): Promise<void>;
}

export async function newPlaceOfServer(options: Parameters<typeof startServer>[0] = {}): Promise<PlaceOfServer> {
  const server = await startServer(options);
  const { url } = server;
  const place = newPlace({ SHANNON_DASH_URL: url });
  return {
    ...place,
    url,
    async publish(session, ...events) {
      for (let at = 0; at < events.length; at += batch) await publish(server, session, events.slice(at, at + batch));
    },
    command: async (session, type, fields = {}) =>
      (await http('POST', `${url}/api/sessions/${session}/commands`, { type, ...fields })).body,
    call: (...args) => callProgram(args, place),
    run: (...args) => runProgram(args, place),
    start: (...args) => new StartedProgram(args, place),
    close: () => server.close(),
    restart: () => server.restart(),
  };
}
