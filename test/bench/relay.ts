/**
 * The peer of the benchmarks: a bare Socket.IO relay that keeps nothing and checks nothing, and answers the same
 * protocol events. Prints its port once it listens.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';

const http = createServer();
const io = new Server(http, { serveClient: false });
let orchestrator: Socket | undefined;

io.on('connection', (socket) => {
  socket.emit('connected', { protocol: 4 });
  void socket.join('watchers');
  socket.on('cli_event', (event: { event_type: string }) => {
    void socket.leave('watchers');
    io.to('watchers').emit(event.event_type, event);
  });
  socket.on('ping', (_payload: unknown, ack: (answer: unknown) => void) => {
    const answer = { timestamp: new Date().toISOString() };
    ack(answer);
    socket.emit('pong', answer);
  });
  socket.on('command', async (command: { type: string }, ack: (answer: unknown) => void) => {
    const result: unknown = orchestrator === undefined ? null : await orchestrator.emitWithAck('command:execute', command);
    const answer = { success: true, command_type: command.type, result, timestamp: new Date().toISOString() };
    ack(answer);
    socket.emit('command:result', answer);
  });
  socket.on('orchestrator:attach', (_payload: unknown, ack: (answer: unknown) => void) => {
    void socket.leave('watchers');
    orchestrator = socket;
    ack({ success: true });
  });
});

http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` })));
