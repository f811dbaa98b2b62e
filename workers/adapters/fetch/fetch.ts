/** Fetch handlers and applications, each made of the other. Published as `sluice/fetch`. */
export type { DowngradeOptions } from '../downgrade.ts';
export { FetchContext } from './context.ts';
export { type FetchHandler, type FromFetchOptions, fromFetch } from './from-fetch.ts';
export { type ToFetchOptions, toFetch } from './to-fetch.ts';
