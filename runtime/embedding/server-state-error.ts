/** A method of an embedded server was called too early or too late. */
export class ServerStateError extends Error {
  override readonly name = 'ServerStateError';
  readonly code = 'SLUICE_SERVER_STATE';

  constructor(call: string, expected: string, came: string) {
    super(`${call}: expected ${expected}, got ${came}`);
  }
}

/** `close` or `drain` was called before `start` had finished. */
export class ServerClosedError extends Error {
  override readonly name = 'ServerClosedError';
  readonly code = 'SLUICE_SERVER_CLOSED';

  constructor() {
    super('start(): expected the server to be left to start, it was closed meanwhile');
  }
}
