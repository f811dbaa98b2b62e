/** Decides whose code a frame belongs to, by the location of its script. */
import { fileURLToPath } from 'node:url';
import type { CallFrame } from './cpu-profile.ts';
import { Owner } from './page/data.ts';

/** `…/runtime/profiling/owners.ts`, or `…/dist/runtime/profiling/owners.js`. */
const SOURCES = new URL('../../', import.meta.url);
const folders = ['runtime/', 'workers/', 'wire/'].flatMap((folder) => {
  const { href } = new URL(folder, SOURCES);
  return [href, fileURLToPath(href)];
});

export function ownerOf({ functionName, url }: CallFrame): Owner {
  if (functionName === '(garbage collector)') return Owner.Collector;
  if (url === '') return Owner.Native;
  if (url.startsWith('node:')) return Owner.Node;
  if (folders.some((folder) => url.startsWith(folder))) return Owner.Sluice;
  if (url.includes('/node_modules/')) return Owner.Dependency;
  if (url.startsWith('wasm:')) return Owner.Dependency;
  return Owner.Application;
}
