/** Bun's server, over HTTP/1.1 or, with a certificate, over TLS. Usage: bun bun.ts PORT [CERT_FILE KEY_FILE] */
import { HELLO } from '../content.ts';

declare const Bun: {
  file(path: string): unknown;
  serve(options: {
    port: number;
    hostname: string;
    tls?: { cert: unknown; key: unknown };
    http2?: boolean;
    fetch(request: Request): Response;
  }): unknown;
};

const [port, cert, key] = process.argv.slice(2);
const headers = { 'content-type': 'text/plain', 'content-length': String(HELLO.length) };

Bun.serve({
  port: Number(port),
  hostname: '127.0.0.1',
  ...(cert !== undefined && key !== undefined
    ? { tls: { cert: Bun.file(cert), key: Bun.file(key) }, http2: true }
    : {}),
  fetch: () => new Response(HELLO, { headers }),
});
