/** A request with some properties changed and the others unchanged. */
import type { ExchangeRequest } from '../gateway.ts';

export type RequestChanges = Partial<
  Pick<
    ExchangeRequest,
    'method' | 'scheme' | 'authority' | 'path' | 'protocol' | 'fields' | 'remote' | 'priority'
  >
>;

/**
 * For the `request` of a `WrappedExchange`. Unchanged properties are read through to the inner request, so
 * nothing is made before it is used.
 */
export class ChangedRequest implements ExchangeRequest {
  readonly #request: ExchangeRequest;
  readonly #changes: RequestChanges;

  constructor(request: ExchangeRequest, changes: RequestChanges) {
    this.#request = request;
    this.#changes = changes;
  }

  get method() {
    return this.#changes.method ?? this.#request.method;
  }
  get scheme() {
    return this.#changes.scheme ?? this.#request.scheme;
  }
  get authority() {
    return this.#changes.authority ?? this.#request.authority;
  }
  get path() {
    return this.#changes.path ?? this.#request.path;
  }
  get protocol() {
    return this.#changes.protocol ?? this.#request.protocol;
  }
  get fields() {
    return this.#changes.fields ?? this.#request.fields;
  }
  get version() {
    return this.#request.version;
  }
  get remote() {
    return this.#changes.remote ?? this.#request.remote;
  }
  get tls() {
    return this.#request.tls;
  }
  get priority() {
    return this.#changes.priority ?? this.#request.priority;
  }
}
