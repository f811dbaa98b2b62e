/** The interface of a fuzz target, and of its findings. */
import type { Random } from './random.ts';

export interface Target {
  /** Runs one case, drawn entirely from `random`. Throws a Finding, or any other error of the tested code. */
  run(random: Random): void | Promise<void>;
  close(): Promise<void>;
}

const SHOWN_BYTES = 4096;

/** Something happened that must not happen. */
export class Finding extends Error {
  override readonly name = 'Finding';

  constructor(what: string, input: Uint8Array) {
    const hex = Buffer.from(input.subarray(0, SHOWN_BYTES)).toString('hex');
    super(`${what}\ninput of ${input.length} bytes: ${hex}${input.length > SHOWN_BYTES ? '…' : ''}`);
  }
}

/** Both runs of one input must give the same result; otherwise this throws a Finding. */
export function mustAgree(what: string, one: unknown, other: unknown, input: Uint8Array): void {
  const [first, second] = [JSON.stringify(one, null, 1), JSON.stringify(other, null, 1)];
  if (first !== second) throw new Finding(`${what}\n--- one\n${first}\n--- other\n${second}`, input);
}
