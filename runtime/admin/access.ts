/**
 * Decides who may use the admin listener: holders of the token, of a link that works once, or of a session that a link began.
 *
 *   link ──POST /session──▶ session (a cookie) ──▶ every endpoint
 *   token ──authorization: Bearer──▶ every endpoint
 *
 * Secrets are kept as digests and compared in constant time. Links, sessions and addresses are bounded; the oldest make room.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { addressKey } from '../server/limits.ts';

const MINUTE_MS = 60_000;
const SECRET_BYTES = 32;

export interface AccessOptions {
  readonly wrongTokensPerMinute: number;
  /** How many addresses with recent wrong tokens are remembered. */
  readonly maxRememberedAddresses: number;
  readonly linkTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly maxSessions: number;
}

export type Verdict = 'in' | 'wrong' | 'blocked';

export class Access {
  readonly #options: AccessOptions;
  readonly #now: () => number;
  /** Null if the configuration has no token. */
  readonly #token: Buffer | null;
  readonly #links: Passes;
  readonly #sessions: Passes;
  readonly #failures = new Map<string, { left: number; atMs: number }>();

  /** @param now monotonic milliseconds */
  constructor(options: AccessOptions, token: string | null, now: () => number) {
    this.#options = options;
    this.#now = now;
    this.#token = token === null ? null : digest(token);
    this.#links = new Passes(options.linkTimeoutMs, options.maxSessions);
    this.#sessions = new Passes(options.sessionTimeoutMs, options.maxSessions);
  }

  /** Makes a secret that `enter` accepts once. */
  makeLink(): string {
    return this.#links.make(this.#now());
  }

  /** Judges a token that an address has sent. */
  present(token: string, address: string): Verdict {
    if (this.#isBlocked(address)) return 'blocked';
    if (this.#token !== null && timingSafeEqual(digest(token), this.#token)) return 'in';
    this.#fail(address);
    return 'wrong';
  }

  /** Judges a link's secret that an address has sent. @returns a new session's secret if it is valid */
  enter(secret: string, address: string): { readonly session: string } | Exclude<Verdict, 'in'> {
    if (this.#isBlocked(address)) return 'blocked';
    if (this.#links.use(secret, this.#now())) return { session: this.#sessions.make(this.#now()) };
    this.#fail(address);
    return 'wrong';
  }

  isSession(secret: string): boolean {
    return this.#sessions.has(secret, this.#now());
  }

  leave(secret: string): void {
    this.#sessions.use(secret, this.#now());
  }

  // ---- wrong tokens

  #left(address: string): number {
    const most = this.#options.wrongTokensPerMinute;
    const known = this.#failures.get(addressKey(address));
    if (known === undefined) return most;
    return Math.min(most, known.left + ((this.#now() - known.atMs) * most) / MINUTE_MS);
  }

  #isBlocked(address: string): boolean {
    return this.#left(address) < 1;
  }

  #fail(address: string): void {
    const key = addressKey(address);
    const left = this.#left(address) - 1;
    // Moves to the end, so that the address that failed longest ago makes room.
    this.#failures.delete(key);
    this.#failures.set(key, { left, atMs: this.#now() });
    if (this.#failures.size > this.#options.maxRememberedAddresses)
      this.#failures.delete(firstOf(this.#failures.keys()));
  }
}

/** Secrets that are valid for a while. */
class Passes {
  readonly #timeoutMs: number;
  readonly #most: number;
  /** Expiry by digest, oldest first. */
  readonly #until = new Map<string, number>();

  constructor(timeoutMs: number, most: number) {
    this.#timeoutMs = timeoutMs;
    this.#most = most;
  }

  make(nowMs: number): string {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    this.#until.set(digest(secret).toString('base64'), nowMs + this.#timeoutMs);
    if (this.#until.size > this.#most) this.#until.delete(firstOf(this.#until.keys()));
    return secret;
  }

  /** Looks it up by its digest, so the time says nothing about the secret. */
  has(secret: string, nowMs: number): boolean {
    const until = this.#until.get(digest(secret).toString('base64'));
    return until !== undefined && nowMs < until;
  }

  /** Makes it invalid. */
  use(secret: string, nowMs: number): boolean {
    const isGood = this.has(secret, nowMs);
    this.#until.delete(digest(secret).toString('base64'));
    return isGood;
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function firstOf(keys: Iterator<string>): string {
  return keys.next().value as string;
}
