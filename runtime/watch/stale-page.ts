/**
 * Shows a browser on this machine why the new version of a pool does not load, in place of the pool's pages. Other clients, and requests
 * for anything but a page, get the old version. Used only with `--watch`.
 */
import type { Explanation } from '../exchange/contracts.ts';
import type { Exchange, Taker } from '../exchange/exchange.ts';
import type { ExchangeJob } from '../exchange/exchange-job.ts';
import { hostOf } from '../server/router.ts';

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
/** Any other name may belong to an attacker who points it at 127.0.0.1 to read this page (DNS rebinding). */
const LOCAL_HOST = /^(?:localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const FIELDS: readonly string[] = [
  'content-type',
  'text/html; charset=utf-8',
  'cache-control',
  'no-store',
  'content-security-policy',
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'x-content-type-options',
  'nosniff',
];

export class StalePage implements Taker {
  readonly #pool: Taker;
  readonly #why: () => string | undefined;
  #isAnswering = false;

  /** @param why the version on the disk does not load; undefined: it runs */
  constructor(pool: Taker, why: () => string | undefined) {
    this.#pool = pool;
    this.#why = why;
  }

  submit(job: ExchangeJob<Exchange>): void {
    const { exchange } = job;
    if (this.#why() === undefined || !isForPerson(exchange)) {
      this.#pool.submit(job);
      return;
    }
    this.#isAnswering = true;
    exchange.answer(500);
    this.#isAnswering = false;
  }

  withdraw(job: ExchangeJob<Exchange>): boolean {
    return this.#pool.withdraw(job);
  }

  explain(status: number, reason: string): Explanation {
    if (this.#isAnswering) return { fields: FIELDS, text: pageOf(this.#why() ?? '') };
    return { fields: ['content-type', 'text/plain; charset=utf-8'], text: `${status} ${reason}\n` };
  }
}

function isForPerson({ method, remoteAddress, authority, fields }: Exchange): boolean {
  if (method !== 'GET' || !LOOPBACK.test(remoteAddress) || !LOCAL_HOST.test(hostOf(authority))) return false;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'accept' && (fields[i + 1] as string).includes('text/html')) return true;
  }
  return false;
}

/** It refreshes every second, so it disappears when the new version loads. */
function pageOf(why: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="1">
<title>It does not load</title>
<style>body { font: 16px sans-serif; margin: 3em } pre { padding: 1em; background: #eee; overflow: auto }</style>
<h1>It does not load</h1>
<pre>${escaped(why)}</pre>
<p>Other clients still get the previous version.</p>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
