/**
 * `Request`, `Response` and `fetch` in a thread that runs Fetch handlers. They behave like the platform's, but also accept light responses
 * and lazy requests, which the platform's constructors and `fetch` would not recognise (`kept-globals.ts`).
 */
import { isLightResponse, LightResponse } from './light-response.ts';

let state: 'platform' | 'installed' = 'platform';
let areLazy = false;

export function areInstalled(): boolean {
  return state === 'installed';
}

/** Whether handlers are given lazy requests. */
export function areRequestsLazy(): boolean {
  return areLazy;
}

/**
 * Takes effect for the rest of the thread's life.
 * @param lazyRequests what `installBehindModule` has said
 */
export function installGlobals(lazyRequests: boolean): void {
  if (state === 'installed') return;
  state = 'installed';
  areLazy = lazyRequests;
  globalThis.Response = LightResponse as never;
}

export function platformResponse(response: Response): Response {
  return isLightResponse(response) ? (response as LightResponse).platform : response;
}
