/**
 * Password hashing with Argon2id (RFC 9106) in WebAssembly. It deliberately computes for tens of milliseconds
 * per request, which would block every other request on an event loop shared with the sockets.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { mediaType, readText } from '../site/content.ts';
import { respondPage } from '../site/page.ts';
import { answer, Refusal, type Resources, respondText } from '../site/routing.ts';
import { Turns } from './turns.ts';

/** Anything longer is not a password, and hashing it first takes time in proportion to its length. */
const MAX_PASSWORD_BYTES = 1024;
/** A password, its hash, and JSON's escapes around them. */
const MAX_VERIFY_BYTES = 8192;

/** One hash at a time per thread, because the memory of a hash determines the thread's memory. */
const turns = new Turns();

const RESOURCES: Resources = new Map([
  ['/hash', { GET: showPage, POST: hashPassword }],
  ['/hash/verify', { POST: verifyHash }],
]);

export default function hash(exchange: Exchange): Promise<void> {
  return answer(exchange, RESOURCES);
}

async function hashPassword(exchange: Exchange): Promise<void> {
  const password = checkedPassword(await readText(exchange, MAX_PASSWORD_BYTES));
  const { encodePassword } = await import('./argon2.ts');
  const encoded = await turns.take(exchange.signal, () => encodePassword(password));
  respondText(exchange, 200, `${encoded}\n`, { 'cache-control': 'no-store' });
}

async function verifyHash(exchange: Exchange): Promise<void> {
  const type = mediaType(exchange);
  if (type !== 'application/json') {
    throw new Refusal(415, `Send application/json: {"password": "…", "hash": "$argon2id$…"}, not '${type}'.`);
  }
  const { password, encoded } = parseVerification(await readText(exchange, MAX_VERIFY_BYTES));
  const { parseEncoded, verifyPassword } = await import('./argon2.ts');
  const parsed = parseEncoded(encoded);
  if (typeof parsed === 'string') throw new Refusal(422, `hash: ${parsed}`);
  const ok = await turns.take(exchange.signal, () => verifyPassword(password, parsed));
  exchange.respond(
    200,
    { 'content-type': 'application/json', 'cache-control': 'no-store' },
    `${JSON.stringify({ ok })}\n`,
  );
}

function parseVerification(text: string): { password: string; encoded: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `The body must be JSON: ${(error as Error).message}.`);
  }
  const { password, hash: encoded } = (value ?? {}) as { password?: unknown; hash?: unknown };
  if (typeof password !== 'string') throw new Refusal(400, 'password: expected a string.');
  if (typeof encoded !== 'string') throw new Refusal(400, 'hash: expected a string.');
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new Refusal(413, `password: expected at most ${MAX_PASSWORD_BYTES} bytes.`);
  }
  return { password: checkedPassword(password), encoded };
}

function checkedPassword(password: string): string {
  if (password === '') throw new Refusal(400, 'The password is empty.');
  return password;
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
