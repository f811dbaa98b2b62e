import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { threadId } from 'node:worker_threads';
import Hapi from '@hapi/hapi';
import { rows } from './rows.js';

const server = Hapi.server({ port: process.env.PORT ?? 3000, host: 'localhost' });

server.route([
  {
    method: 'GET',
    path: '/',
    handler: (request) => {
      const lines = rows(Number(request.query.rows ?? '10')).map(
        ({ name, sum }) => `<tr><td>${name}</td><td>${sum}</td></tr>`,
      );
      return `<!doctype html><main data-thread="${threadId}"><h1>Report</h1><table>${lines.join('')}</table></main>`;
    },
  },
  { method: 'POST', path: '/api/echo', handler: (request) => ({ got: request.payload }) },
  {
    method: 'GET',
    path: '/api/stream',
    handler: (_request, h) =>
      h
        .response(Readable.from(['one\n', 'two\n', 'three\n'], { objectMode: false }))
        .type('text/plain; charset=utf-8'),
  },
  {
    method: 'GET',
    path: '/numbers.txt',
    handler: (_request, h) => h.response(createReadStream('public/numbers.txt')).bytes(10_000),
  },
]);

server.ext('onPostStop', () => console.log('shut down'));
process.on('SIGTERM', async () => {
  await server.stop({ timeout: 5000 });
  process.exit(0);
});
await server.start();
