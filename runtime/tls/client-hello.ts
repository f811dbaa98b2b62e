/**
 * Whether a ClientHello is complete, according to the lengths of its records and its own (RFC 8446 sections 4
 * and 5.1). A peer that has not sent a complete one costs a socket and these bytes, 9 KiB in all. The state
 * of OpenSSL and Node for it would be 60 KiB more.
 */

const HANDSHAKE_RECORD = 0x16;
const CLIENT_HELLO = 1;
const RECORD_HEAD_BYTES = 5;
const MESSAGE_HEAD_BYTES = 4;

/**
 * Whether TLS should get the bytes: the ClientHello is complete, or longer than the limit, or the bytes are
 * no ClientHello, for which TLS has its alerts.
 * @param seen everything that has arrived
 * @param maxBytes how much of it to wait for
 */
export function isForTls(seen: Uint8Array, maxBytes: number): boolean {
  if (seen.length >= maxBytes) return true;
  const head: number[] = [];
  let messageBytes = 0;
  for (let at = 0; ; ) {
    if (at < seen.length && seen[at] !== HANDSHAKE_RECORD) return true;
    if (at + RECORD_HEAD_BYTES > seen.length) return false;
    const recordBytes = ((seen[at + 3] as number) << 8) | (seen[at + 4] as number);
    // No handshake record is empty.
    if (recordBytes === 0) return true;
    const start = at + RECORD_HEAD_BYTES;
    const end = Math.min(start + recordBytes, seen.length);
    for (let i = start; i < end && head.length < MESSAGE_HEAD_BYTES; i++) head.push(seen[i] as number);
    messageBytes += end - start;
    if (head.length > 0 && head[0] !== CLIENT_HELLO) return true;
    if (head.length === MESSAGE_HEAD_BYTES) {
      const [, high = 0, middle = 0, low = 0] = head;
      const wholeBytes = MESSAGE_HEAD_BYTES + ((high << 16) | (middle << 8) | low);
      if (messageBytes >= wholeBytes || wholeBytes > maxBytes) return true;
    }
    if (end < start + recordBytes) return false;
    at = end;
  }
}
