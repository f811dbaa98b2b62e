/**
 * `Request` and `fetch` as a module finds them when it is loaded, which may keep them: `class Mine extends Request`, clients that wrap
 * `fetch`. A lazy request is none of the platform's, which looks for private members; so whatever is kept must know it already then.
 *
 * Node loads its own implementation when `Request` is first looked at, and so do we: a thread that has no use for it does not pay.
 */

/** Where a lazy request has the platform's own. */
export const PLATFORM = Symbol('sluice.platformRequest');

type Input = string | URL | Request;

let platform: typeof Request | null = null;
let state: 'platform' | 'knowing' = 'platform';

/** The platform's own class. */
export function platformRequest(): typeof Request {
  if (platform === null) {
    const found = globalThis.Request;
    // Looking has put the one in its place that knows, and has kept this one.
    platform ??= found;
  }
  return platform;
}

/** From now on, for the rest of the thread's life. */
export function installKnowing(): void {
  if (state === 'knowing') return;
  state = 'knowing';
  const own = Object.getOwnPropertyDescriptor(globalThis, 'Request') as PropertyDescriptor;
  const define = (value: unknown): void => {
    Object.defineProperty(globalThis, 'Request', {
      value,
      configurable: true,
      enumerable: own.enumerable ?? false,
      writable: true,
    });
  };
  Object.defineProperty(globalThis, 'Request', {
    configurable: true,
    enumerable: own.enumerable ?? false,
    get() {
      // Node's own getter puts the class in the place of this property.
      platform = (own.get === undefined ? own.value : own.get.call(globalThis)) as typeof Request;
      const knowing = knowingOf(platform);
      define(knowing);
      return knowing;
    },
    set: define,
  });
  const platformFetch = globalThis.fetch;
  globalThis.fetch = {
    fetch: (input: Input, init?: RequestInit) => platformFetch(platformOf(input), init),
  }.fetch as typeof fetch;
}

/** The class itself, name, members and `instanceof` included; only what it is called with is exchanged. */
function knowingOf(own: typeof Request): typeof Request {
  return new Proxy(own, {
    construct: (target, [input, ...rest], newTarget) =>
      // Without an argument it is refused for that.
      Reflect.construct(target, input === undefined ? [] : [platformOf(input), ...rest], newTarget),
  });
}

function platformOf(input: Input): Input {
  const isObject = typeof input === 'object' && input !== null;
  return isObject && PLATFORM in input ? (input as { readonly [PLATFORM]: Request })[PLATFORM] : input;
}
