import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { randomName } from '../../core/ids.ts';

/** Counts a request that was refused. */
export type OnRefused = (error: unknown) => void;

interface RequestMark {
  id: string;
  onRefused: OnRefused;
}

/** A property of the request: a map of all of them costs each request microseconds. */
const mark = Symbol('mark');
type MarkedRequest = IncomingMessage & { [mark]?: RequestMark };

/** What a caller may name its request: short, and nothing that a log or a header could be broken with. */
const ownId = /^[A-Za-z0-9._:-]{1,64}$/;

/** An id for a request, by which its answer is found in the log. At random: one that counted would tell how many others have asked. */
export function newRequestId(): string {
  return `${randomName()}-${randomName()}`;
}

/** Gives a request its id: the caller's own where that is well-formed. To be called before anything else is done with it. */
export function markRequest(request: MarkedRequest, onRefused: OnRefused): string {
  const own = request.headers['x-request-id'];
  const id = typeof own === 'string' && ownId.test(own) ? own : newRequestId();
  request[mark] = { id, onRefused };
  return id;
}

/** The id of a request; undefined before it has one. */
export function requestIdOf(request: MarkedRequest): string | undefined {
  return request[mark]?.id;
}

/** The id of a request for Fastify, which asks for one of each. */
export function genReqId(request: MarkedRequest): string {
  return requestIdOf(request) ?? newRequestId();
}

const patience = Symbol('patience');
type PatientSocket = Socket & { [patience]?: boolean };

/** Lets a request come in for longer than others may take, until the returned function is called. Whoever reads it bounds that. */
export function beginPatience({ socket }: { socket: PatientSocket }): () => void {
  socket[patience] = true;
  return () => void (socket[patience] = false);
}

/** Whether what comes in on this connection may take longer than other requests. */
export function hasPatience(socket: PatientSocket): boolean {
  return socket[patience] === true;
}

/** Counts a request that is answered with an error. */
export function noteRefused(request: MarkedRequest, error: unknown): void {
  request[mark]?.onRefused(error);
}
