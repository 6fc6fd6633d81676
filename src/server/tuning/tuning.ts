/**
 * The server reaches into private parts of Engine.IO, ws and Node where their public ways are slow. Each of these reaches
 * has a switch here: with `false` the server works by the public way alone, slower or with more memory, in case a new
 * version of a dependency breaks the private part. A test holds each private part against the installed version.
 */
export interface Tuning {
  /** Refuses what would hold up the event loop before it is parsed. Without: a large message is parsed whole. */
  readonly boundedDecoding: boolean;
  /** Frees the request of each handshake. Without: an idle client takes a quarter more memory. */
  readonly handshakeRelease: boolean;
  /** Writes what waits for a client with one system call. Without: one call for each packet. */
  readonly joinedWrites: boolean;
  /** Encodes the WebSocket frames of a delivery once for all clients. Without: once for each client. */
  readonly preEncodedFrames: boolean;
  /** Does not read from a client whose events wait for their commit. Without: what it sends meanwhile waits in memory. */
  readonly readBackpressure: boolean;
  /** Looks at the TCP socket below a WebSocket. Without: what is on its way to a client counts by whole deliveries. */
  readonly tcpSocket: boolean;
  /** Asks Node's handle how much of what was written the system has taken. Without: a write counts as taken at its end. */
  readonly tcpProgress: boolean;
  /** Follows the answer to a poll to its end. Without: it counts as taken when it is written. */
  readonly pollAnswer: boolean;
  /** Counts the packets that wait for a client. Without: only deliveries are counted, answers are not. */
  readonly waitingPackets: boolean;
  /** Logs why a client with too large a message was cut. Without: it is cut, and the log does not say why. */
  readonly oversizedMessage: boolean;
  /** Cuts the TCP connection of a client that is dropped. Without: the client has to answer the closing handshake, or time out. */
  readonly hardClose: boolean;
  /** Leaves descriptors to the journal. Without: connections may take all that the system gives. */
  readonly descriptorRoom: boolean;
}

/** Every reach is on. */
export const fullTuning: Tuning = {
  boundedDecoding: true,
  handshakeRelease: true,
  joinedWrites: true,
  preEncodedFrames: true,
  readBackpressure: true,
  tcpSocket: true,
  tcpProgress: true,
  pollAnswer: true,
  waitingPackets: true,
  oversizedMessage: true,
  hardClose: true,
  descriptorRoom: true,
};
