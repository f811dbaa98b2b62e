/**
 * `Request`, `Response` and `fetch` of a thread that runs Fetch handlers: as the platform has them, but for light responses and lazy
 * requests, which the platform's own constructors and `fetch` would not know for what they are.
 */
import { isLazyRequest, PlatformRequest } from './lazy-request.ts';
import { isLightResponse, LightResponse } from './light-response.ts';

type Input = string | URL | Request;

let state: 'platform' | 'installed' = 'platform';

export function areInstalled(): boolean {
  return state === 'installed';
}

/** For the rest of the thread's life. */
export function installGlobals(): void {
  if (state === 'installed') return;
  state = 'installed';
  const platformFetch = globalThis.fetch;
  globalThis.Response = LightResponse as never;
  globalThis.Request = KnowingRequest as never;
  globalThis.fetch = (input, init) => platformFetch(platformOf(input as Input), init);
}

class KnowingRequest extends PlatformRequest {
  constructor(input: Input, init?: RequestInit) {
    super(platformOf(input), init);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof PlatformRequest;
  }
}

function platformOf(input: Input): Input {
  return isLazyRequest(input) ? (input as { readonly platform: Request }).platform : input;
}

export function platformResponse(response: Response): Response {
  return isLightResponse(response) ? (response as LightResponse).platform : response;
}
