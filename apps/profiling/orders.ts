/**
 * Planted fault: a blocked event loop. Most orders wait for a database and compute next to nothing. One in
 * twenty is signed, and meanwhile nothing else in its thread makes progress. docs/profiling.md finds the
 * fault.
 */
import { scryptSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from '../../workers/gateway.ts';

const SIGNED_ONE_IN = 20;
const DATABASE_MS = 5;
const COST = 16_384;

let orders = 0;

export default async function order(exchange: Exchange): Promise<void> {
  const number = ++orders;
  // Simulates a database.
  await delay(DATABASE_MS);
  const receipt = number % SIGNED_ONE_IN === 0 ? signReceipt(number) : 'unsigned';
  exchange.respond(200, { 'content-type': 'text/plain; charset=utf-8' }, `order ${number}, ${receipt}\n`);
}

/** The fault: `scrypt` does the same without blocking the event loop. */
function signReceipt(number: number): string {
  const options = { N: COST, r: 8, p: 1, maxmem: 256 * COST * 8 };
  return scryptSync(`order ${number}`, 'a secret of the shop', 32, options).toString('hex');
}
