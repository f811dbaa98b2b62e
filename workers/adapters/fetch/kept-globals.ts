/**
 * Replaces `Request` and `fetch` by ones that know lazy requests. The platform's own look for private members, which a lazy request lacks,
 * so the replacements unwrap it first.
 *
 * A module may keep what it finds while it is loaded: `class Mine extends Request`, or a client that wraps `fetch`. `fetch` is therefore
 * replaced before every module. `Request` cannot be: to look at it in any way makes Node load its implementation, which costs a thread that
 * does not use Fetch a third of its upload rate. It is replaced before a module only where the configuration says `kind: "fetch"` or the
 * implementation is loaded anyhow. Elsewhere a module that has loaded the implementation may have kept the platform's class, so its handler
 * gets the platform's requests.
 */

/** The key under which a lazy request has the platform's Request. */
export const PLATFORM = Symbol('sluice.platformRequest');

type Input = string | URL | Request;

let platform: typeof Request | null = null;
let isFetchReplaced = false;

/** The platform's own class. */
export function platformRequest(): typeof Request {
  return platform ?? globalThis.Request;
}

/** @param isFetch the configuration says that the module's application is a Fetch handler */
export function installBeforeModule(isFetch: boolean): void {
  if (isFetch || isImplementationLoaded()) installKnowing();
  else replaceFetch();
}

/** @returns whether handlers can be given lazy requests: nothing of the module's can have kept a `Request` that does not know them */
export function installBehindModule(): boolean {
  if (platform === null && isImplementationLoaded()) return false;
  installKnowing();
  return true;
}

/** Takes effect for the rest of the thread's life. */
function installKnowing(): void {
  if (platform !== null) return;
  platform = globalThis.Request;
  globalThis.Request = knowingOf(platform);
  replaceFetch();
}

function replaceFetch(): void {
  if (isFetchReplaced) return;
  isFetchReplaced = true;
  const platformFetch = globalThis.fetch;
  globalThis.fetch = {
    fetch: (input: Input, init?: RequestInit) => platformFetch(platformOf(input), init),
  }.fetch as typeof fetch;
}

/** A Node that does not tell counts as one that has loaded it: then nothing is read that could load it. */
function isImplementationLoaded(): boolean {
  const { moduleLoadList } = process as { readonly moduleLoadList?: readonly string[] };
  return moduleLoadList?.some((name) => name.endsWith('internal/deps/undici/undici')) ?? true;
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
