import { expect } from 'vitest';
import { http, publish, startServer, type Json, type TestServer } from '../helpers/start-server.ts';
import { callProgram } from './called-program.ts';
import { newPlace, runProgram, StartedProgram, type End, type Place } from './started-program.ts';

/** As many events as a server takes at once. */
const batch = 1_000;

/** A server in this process, for tests to which a server's own process is nothing, and a place whose environment points to it. */
export interface ServerPlace extends Place {
  url: string;
  server: TestServer;
  /** Runs the program to its end there, in a process of its own. */
  run: (...args: string[]) => Promise<End>;
  /** Calls its commands there in this process, which costs nearly nothing. */
  call: (...args: string[]) => ReturnType<typeof callProgram>;
  /** Starts the program there. */
  start: (...args: string[]) => StartedProgram;
  publish: (session: string, type: string, data?: Json) => Promise<void>;
  publishAll: (session: string, ...events: object[]) => Promise<void>;
  /** Sends a session a command. @returns the answer */
  command: (session: string, type: string, fields?: Json) => Promise<Json>;
}

/** Starts a server that goes when the test ends. */
export async function newServerPlace(): Promise<ServerPlace> {
  const server = await startServer();
  const { url } = server;
  const place = newPlace({ SHANNON_DASH_URL: url });
  return {
    ...place,
    url,
    server,
    run: (...args) => runProgram(args, place),
    call: (...args) => callProgram(args, place),
    start: (...args) => new StartedProgram(args, place),
    async publish(session, type, data = {}) {
      expect(await http('POST', `${url}/api/sessions/${session}/events`, { type, data })).toMatchObject({ status: 200 });
    },
    async publishAll(session, ...events) {
      for (let at = 0; at < events.length; at += batch) await publish(server, session, events.slice(at, at + batch));
    },
    command: async (session, type, fields = {}) =>
      (await http('POST', `${url}/api/sessions/${session}/commands`, { type, ...fields })).body,
  };
}
