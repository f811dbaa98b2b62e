/**
 * Every middleware of the gallery by its form and name, such as `legacy/etag`, for the application and for
 * the tests' matrix to stack.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Application, Middleware } from '../../workers/gateway.ts';
import { compose } from '../../workers/middleware/compose.ts';
import { validate } from '../../workers/validator/validate.ts';
import * as legacyAuthentication from './legacy/authentication.ts';
import * as legacyBodyLimit from './legacy/body-limit.ts';
import * as legacyCompression from './legacy/compression.ts';
import * as legacyCors from './legacy/cors.ts';
import * as legacyDebugPage from './legacy/debug-page.ts';
import * as legacyEtag from './legacy/etag.ts';
import * as legacyMethodOverride from './legacy/method-override.ts';
import * as legacyMounting from './legacy/mounting.ts';
import * as legacyResponseFields from './legacy/response-fields.ts';
import * as legacySessions from './legacy/sessions.ts';
import * as legacyTiming from './legacy/timing.ts';
import { authentication } from './native/authentication.ts';
import { bodyLimit } from './native/body-limit.ts';
import { compression } from './native/compression.ts';
import { cors } from './native/cors.ts';
import { debugPage } from './native/debug-page.ts';
import { etag } from './native/etag.ts';
import { methodOverride } from './native/method-override.ts';
import { mount } from './native/mounting.ts';
import { offload } from './native/offload.ts';
import { responseFields } from './native/response-fields.ts';
import { retry } from './native/retry.ts';
import { sessions } from './native/sessions.ts';
import { timing } from './native/timing.ts';

/** The gallery's account and limits. */
export const ACCOUNT = { name: 'gallery', password: 'open sesame' };
export const ORIGIN = 'https://app.example';
export const PREFIX = '/under';
export const LIMIT_BYTES = 64 * 1024;

const who = {
  realm: 'gallery',
  verify: (name: string, password: string) => name === ACCOUNT.name && password === ACCOUNT.password,
};
const key = randomBytes(32);
const shared = { origins: [ORIGIN], credentials: true };
/** Below the prefix, the application inside is the one that is mounted. */
const underPrefix =
  (mount: (prefix: string, mounted: Application) => Middleware): Middleware =>
  (application) =>
    mount(PREFIX, application)(application);

let pool: Piscina | null = null;
/** Started with the first stack that needs it. */
function workers(): Piscina {
  pool ??= new Piscina({
    filename: fileURLToPath(new URL('./work.ts', import.meta.url)),
    minThreads: 1,
    maxThreads: 1,
  });
  return pool;
}

export async function stopWorkers(): Promise<void> {
  await pool?.destroy();
  pool = null;
}

const CATALOGUE: ReadonlyMap<string, () => Middleware> = new Map([
  ['native/debug-page', debugPage],
  ['native/sessions', () => sessions({ key })],
  ['native/authentication', () => authentication(who)],
  ['native/compression', compression],
  ['native/mounting', () => underPrefix(mount)],
  ['native/response-fields', responseFields],
  ['native/body-limit', () => bodyLimit(LIMIT_BYTES)],
  ['native/etag', etag],
  ['native/cors', () => cors(shared)],
  ['native/timing', () => timing()],
  ['native/method-override', methodOverride],
  ['native/retry', () => retry()],
  ['native/offload', () => offload({ pool: workers() })],
  ['legacy/debug-page', legacyDebugPage.debugPage],
  ['legacy/sessions', () => legacySessions.sessions({ secret: key.toString('hex') })],
  ['legacy/authentication', () => legacyAuthentication.authentication(who)],
  ['legacy/compression', legacyCompression.compression],
  ['legacy/mounting', () => underPrefix(legacyMounting.mount)],
  ['legacy/response-fields', legacyResponseFields.responseFields],
  ['legacy/body-limit', () => legacyBodyLimit.bodyLimit(LIMIT_BYTES)],
  ['legacy/etag', legacyEtag.etag],
  ['legacy/cors', () => legacyCors.cors(shared)],
  ['legacy/timing', legacyTiming.timing],
  ['legacy/method-override', legacyMethodOverride.methodOverride],
]);

export const FORMS: readonly string[] = [...CATALOGUE.keys()];

const made = new Map<string, Middleware>();

/**
 * Each is made once, as in any application: a layer keeps the sessions that it has made. Null: no middleware
 * has that name.
 */
export function middlewareOf(form: string): Middleware | null {
  // Between any two layers, it checks both against the interface.
  if (form === 'validator') return validate;
  const known = made.get(form) ?? CATALOGUE.get(form)?.() ?? null;
  if (known !== null) made.set(form, known);
  return known;
}

/**
 * Combines the named middleware, the first outermost.
 * @returns the first unknown name, or the middleware
 */
export function stackOf(forms: readonly string[]): Middleware | string {
  const layers: Middleware[] = [];
  for (const form of forms) {
    const layer = middlewareOf(form);
    if (layer === null) return form;
    layers.push(layer);
  }
  return compose(...layers);
}
