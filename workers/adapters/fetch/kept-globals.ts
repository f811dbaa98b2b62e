/**
 * Replaces `Request` and `fetch` before an application is loaded, because a module may keep them: `class Mine extends Request`, or a client
 * that wraps `fetch`. The platform's own look for private members, which a lazy request lacks, so the replacements unwrap it first.
 *
 * Node loads its implementation when `Request` is first read. The replacement does the same, so a thread that does not use Fetch does not
 * load it.
 */

/** The key under which a lazy request has the platform's Request. */
export const PLATFORM = Symbol('sluice.platformRequest');

type Input = string | URL | Request;

let platform: typeof Request | null = null;
let state: 'platform' | 'knowing' = 'platform';

/** The platform's own class. */
export function platformRequest(): typeof Request {
  if (platform === null) {
    const found = globalThis.Request;
    // Reading the getter has set `platform`, and has put the replacement in its place.
    platform ??= found;
  }
  return platform;
}

/** Takes effect for the rest of the thread's life. */
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
      // Node's own getter replaces this property with the class.
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

/** The platform's class, with its name, members and `instanceof`. Only the argument of the constructor is unwrapped. */
function knowingOf(own: typeof Request): typeof Request {
  return new Proxy(own, {
    construct: (target, [input, ...rest], newTarget) =>
      // Without an argument the constructor throws its own error.
      Reflect.construct(target, input === undefined ? [] : [platformOf(input), ...rest], newTarget),
  });
}

function platformOf(input: Input): Input {
  const isObject = typeof input === 'object' && input !== null;
  return isObject && PLATFORM in input ? (input as { readonly [PLATFORM]: Request })[PLATFORM] : input;
}
