/**
 * The peer of the benchmarks: a bare Socket.IO relay that keeps nothing and checks nothing, and answers the same
 * protocol events; and a bare Fastify route that parses a body and answers. Prints its URL once it listens.
 */
import fastify from 'fastify';
import { Server, type Socket } from 'socket.io';

const app = fastify();
const io = new Server(app.server, { serveClient: false });
let orchestrator: Socket | undefined;

io.on('connection', (socket) => {
  socket.emit('connected', { protocol: 4 });
  void socket.join('watchers');
  socket.on('cli_event', (event: { event_type: string }) => {
    void socket.leave('watchers');
    io.to('watchers').emit(event.event_type, event);
  });
  socket.on('publish', ({ session_id, events }: { session_id: string; events: { type: string }[] }, ack: (answer: unknown) => void) => {
    void socket.leave('watchers');
    for (const event of events) io.to('watchers').emit(event.type, { session_id, ...event });
    ack({ success: true });
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

app.post('/api/sessions/:session_id/events', async (request) => ({ success: true, size: Object.keys(request.body as object).length }));

console.log(JSON.stringify({ url: await app.listen({ host: '127.0.0.1', port: 0 }) }));
