/** Fills mailboxes, and handles what is in them slowly or never; each that is handled is a line of a file. */
import { appendFileSync } from 'node:fs';
import { type ActorError, actor } from '../../../workers/actors/actors.ts';
import type { Exchange } from '../../../workers/gateway.ts';

export class Slow {
  readonly #key: string;

  constructor(key: string, _context: unknown) {
    this.#key = key;
  }

  async handle(n: number): Promise<void> {
    if (this.#key === 'stuck') await new Promise(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
    appendFileSync(process.env.HANDLED_FILE ?? '', `${this.#key} ${n}\n`);
  }
}

export interface Filled {
  readonly accepted: number;
  readonly refused: number;
  readonly codes: readonly string[];
}

/** Tells each of the keys in the query as much as the count there says, all at once. */
export default async function fill(exchange: Exchange): Promise<void> {
  const query = new URL(exchange.request.path, 'http://localhost').searchParams;
  const keys = query.getAll('key');
  const told = keys.flatMap((key) =>
    Array.from({ length: Number(query.get('count')) }, (_, n) =>
      actor<typeof Slow>('slow').of(key).tell.handle(n),
    ),
  );
  const results = await Promise.allSettled(told);
  const refused = results.filter((result) => result.status === 'rejected');
  const codes = refused.map(({ reason }) => (reason as ActorError).code);
  const filled: Filled = {
    accepted: results.length - refused.length,
    refused: refused.length,
    codes: [...new Set(codes)],
  };
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(filled));
}
