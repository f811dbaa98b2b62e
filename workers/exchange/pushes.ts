/**
 * The promised responses of one exchange (RFC 9113 section 8.4): those that the reactor has not decided on
 * yet, and those that the application is writing. They last as long as the application's function, as the
 * exchange itself does. A response that is not complete by then is reset.
 */
import { fieldsBound, stringBound } from '../../wire/encoder.ts';
import { plainName } from '../../wire/field-marks.ts';
import { flatten } from '../fields/sent.ts';
import type { PushedResponse, PushRequest } from '../gateway.ts';
import { HostError } from './errors.ts';
import { nameOf, valueInvalid } from './values.ts';

/** What `:path` may hold: no space, control or fragment. */
const PATH = /^\/[\x21\x22\x24-\x7e\x80-\xff]*$/;
/**
 * Fields that a promised request must not have: they describe content or the connection, or pseudo-fields
 * carry them.
 */
const UNFIT = new Set(['content-length', 'expect', 'host', 'te', 'trailer']);

/** A push that the reactor has not decided on. */
export interface PendingPush {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
  readonly decision: PromiseWithResolvers<PushedResponse | null>;
}

/** @throws HostError `SLUICE_VALUE_INVALID`, `SLUICE_PUSH_INVALID`, `SLUICE_FIELD_INVALID` */
export function pendingPush(request: PushRequest): PendingPush {
  if (typeof request !== 'object' || request === null) {
    throw valueInvalid('a request to promise, an object with a path', request);
  }
  const { path, method = 'GET' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    throw invalid('GET or HEAD, which are safe and cacheable', method);
  }
  if (typeof path !== 'string' || !PATH.test(path)) {
    throw invalid('a path that begins with a slash, without spaces and fragment', path);
  }
  const fields = flatten(request.fields);
  for (let i = 0; i < fields.length; i += 2) {
    const name = plainName(fields[i] as string);
    if (UNFIT.has(name)) throw invalid('no content and no host of its own', name);
  }
  return { method, path, fields, decision: Promise.withResolvers() };
}

/**
 * Checks the size of a promised request, which crosses to the reactor in one message.
 * @throws HostError `SLUICE_PUSH_INVALID`
 */
export function requireFits({ method, path, fields }: PendingPush, maxBytes: number): void {
  const bytes = stringBound(method) + stringBound(path) + fieldsBound(fields);
  if (bytes <= maxBytes) return;
  throw new HostError(
    'SLUICE_PUSH_INVALID',
    `expected a path and fields that take at most ${maxBytes} bytes, three for each character and ten for each line (see the pool's ringBytes), got ${bytes}`,
  );
}

function invalid(expected: string, came: unknown): HostError {
  return new HostError(
    'SLUICE_PUSH_INVALID',
    `expected a promised request to have ${expected} (RFC 9113 section 8.4), got ${nameOf(came)}`,
  );
}

/** A promised response, as the host sees it. */
export interface HostedPush extends PushedResponse {
  /** Called when the application's function has returned. @returns false if the response is not complete */
  onReturn(): boolean;
}

export class Pushes {
  readonly #pending = new Map<number, PendingPush>();
  /** Promised responses that are still open. */
  readonly #given = new Set<HostedPush>();
  readonly #onDecided: () => void;
  #state: 'open' | 'over' = 'open';

  /** @param onDecided called when the reactor has decided on all pushes */
  constructor(onDecided: () => void) {
    this.#onDecided = onDecided;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  add(number: number, push: PendingPush): void {
    this.#pending.set(number, push);
  }

  pending(number: number): PendingPush | undefined {
    return this.#pending.get(number);
  }

  /** The reactor has promised nothing. */
  refused(number: number): void {
    this.#pending.get(number)?.decision.resolve(null);
    this.#decided(number);
  }

  /** The promise has been sent. @returns false if the application no longer waits for it */
  promised(number: number, pushed: HostedPush): boolean {
    const push = this.#pending.get(number);
    if (push === undefined || this.#state === 'over') return false;
    this.#given.add(pushed);
    void pushed.closed.then(() => this.#given.delete(pushed));
    push.decision.resolve(pushed);
    this.#decided(number);
    return true;
  }

  #decided(number: number): void {
    if (this.#pending.delete(number) && this.#pending.size === 0) this.#onDecided();
  }

  /** The reactor decides on no more pushes. */
  abandon(): void {
    if (this.#pending.size === 0) return;
    for (const { decision } of this.#pending.values()) decision.resolve(null);
    this.#pending.clear();
    this.#onDecided();
  }

  /** The application's function is over. */
  returned(): void {
    this.#state = 'over';
    this.abandon();
    for (const pushed of this.#given) if (!pushed.onReturn()) pushed.reset();
    this.#given.clear();
  }
}
