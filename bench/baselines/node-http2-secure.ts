/**
 * Baseline: one thread of `http2.createSecureServer`.
 * Usage: node-http2-secure.ts PORT CERT_FILE KEY_FILE
 */
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { streamHandler } from './streams.ts';

const [port, cert, key] = process.argv.slice(2);

// The same suite on both sides. Node prefers AES-256, which costs a little more.
const ciphers = 'TLS_AES_128_GCM_SHA256';
const server = createSecureServer({ cert: readFileSync(cert), key: readFileSync(key), ciphers });
server.on('stream', streamHandler());
server.on('sessionError', () => {
  // A client was killed in the middle of its connection: only its session is gone.
});
server.listen(Number(port), '127.0.0.1');
