/**
 * Deno's server, over HTTP/1.1 and h2c or, with a certificate, over TLS.
 * Usage: deno run --allow-net --allow-read deno.ts PORT [CERT_FILE KEY_FILE]
 */
import { HELLO } from '../content.ts';

declare const Deno: {
  readonly args: readonly string[];
  readTextFileSync(path: string): string;
  serve(
    options: { port: number; hostname: string; cert?: string; key?: string; onListen(): void },
    handler: () => Response,
  ): unknown;
};

const [port, cert, key] = Deno.args;
const headers = { 'content-type': 'text/plain', 'content-length': String(HELLO.length) };

Deno.serve(
  {
    port: Number(port),
    hostname: '127.0.0.1',
    ...(cert !== undefined && key !== undefined
      ? { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) }
      : {}),
    onListen: () => undefined,
  },
  () => new Response(HELLO, { headers }),
);
