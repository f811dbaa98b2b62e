/**
 * `Request`, `Response` and `fetch` in a thread that runs Fetch handlers. They behave like the platform's, but also accept light responses
 * and lazy requests, which the platform's constructors and `fetch` would not recognise (`kept-globals.ts`).
 */
import { installKnowing } from './kept-globals.ts';
import { isLightResponse, LightResponse } from './light-response.ts';

let state: 'platform' | 'installed' = 'platform';

export function areInstalled(): boolean {
  return state === 'installed';
}

/** Takes effect for the rest of the thread's life. */
export function installGlobals(): void {
  if (state === 'installed') return;
  state = 'installed';
  installKnowing();
  globalThis.Response = LightResponse as never;
}

export function platformResponse(response: Response): Response {
  return isLightResponse(response) ? (response as LightResponse).platform : response;
}
