/**
 * `Request`, `Response` and `fetch` of a thread that runs Fetch handlers: as the platform has them, but for light responses and lazy
 * requests, which the platform's own constructors and `fetch` would not know for what they are (`kept-globals.ts`).
 */
import { installKnowing } from './kept-globals.ts';
import { isLightResponse, LightResponse } from './light-response.ts';

let state: 'platform' | 'installed' = 'platform';

export function areInstalled(): boolean {
  return state === 'installed';
}

/** For the rest of the thread's life. */
export function installGlobals(): void {
  if (state === 'installed') return;
  state = 'installed';
  installKnowing();
  globalThis.Response = LightResponse as never;
}

export function platformResponse(response: Response): Response {
  return isLightResponse(response) ? (response as LightResponse).platform : response;
}
