/** What OpenTelemetry, Datadog, Elastic and Sentry hang on to: `emit` of every server, and the diagnostics channels. */
import { subscribe } from 'node:diagnostics_channel';
import http from 'node:http';

const seen = { emit: 0, start: 0, finish: 0, once: 0 };
const { emit } = http.Server.prototype;
http.Server.prototype.emit = function (this: http.Server, ...args: [event: string]) {
  if (args[0] === 'request') seen.emit++;
  return Reflect.apply(emit, this, args);
} as never;
subscribe('http.server.request.start', () => seen.start++);
subscribe('http.server.response.finish', () => seen.finish++);

function respond(req: http.IncomingMessage, res: http.ServerResponse): void | Promise<void> {
  if (req.url === '/reject') return Promise.reject(new Error('nobody handles it'));
  const { server } = req.socket as { server?: unknown };
  res.end(JSON.stringify({ ...seen, server: server instanceof http.Server }));
}

export const handler = respond;

const server = http.createServer(respond);
server.once('request', () => seen.once++);
server.listen(3000);
