/** The frameworks' applications in apps/: how each is started, and what its framework does of its own. */

import type { Startable } from './started.ts';

export interface FrameworkApplication extends Startable {
  /** What it prints in each thread when it is shut down. */
  readonly lastWords?: string;
}

export const applications: readonly FrameworkApplication[] = [
  { name: 'NestJS', folder: 'nest', module: 'dist/main.js', lastWords: 'shut down by SIGTERM' },
  { name: 'hapi', folder: 'hapi', module: 'server.js', lastWords: 'shut down' },
  { name: 'Next.js, custom server', folder: 'next', module: 'server.js' },
  { name: 'Next.js, standalone', folder: 'next', startedIn: '.next/standalone', module: 'server.js' },
  { name: 'Nuxt', folder: 'nuxt', module: '.output/server/index.mjs' },
  { name: 'SvelteKit', folder: 'sveltekit', module: 'build/index.js' },
  {
    name: 'SvelteKit, its handler',
    folder: 'sveltekit',
    module: 'build/index.js',
    exported: 'build/handler.js',
  },
  { name: 'Astro', folder: 'astro', module: 'dist/server/entry.mjs' },
  { name: 'React Router', folder: 'react-router', module: 'server.js' },
];
