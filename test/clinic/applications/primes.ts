/** Computes for some milliseconds with every request, in a function that profiles show by its name. */
import type { Exchange } from '../../../workers/gateway.ts';

export default function primes(exchange: Exchange): void {
  const { searchParams } = new URL(exchange.request.path, 'http://localhost');
  const limit = Number(searchParams.get('below') ?? 60_000);
  const told = { 'x-from-file': process.env.FROM_FILE ?? '', 'x-from-import': process.env.FROM_IMPORT ?? '' };
  exchange.respond(200, told, String(countPrimesBelow(limit)));
}

function countPrimesBelow(limit: number): number {
  let count = 0;
  for (let candidate = 2; candidate < limit; candidate++) if (isPrime(candidate)) count++;
  return count;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
    if (candidate % divisor === 0) return false;
  }
  return true;
}
