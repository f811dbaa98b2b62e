/** The work that the gallery's `offload` does on another thread: appends a line with the body's digest. */
import { createHash } from 'node:crypto';

export default function withDigest(body: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update(body).digest('base64');
  return Buffer.concat([body, Buffer.from(`\nsha-256=:${digest}:\n`)]);
}
