/**
 * AVA loads this before each test file (`require` in package.json): `import test from 'ava'` then gives the `test` of
 * with-deadlines.ts, so that no file can forget it.
 */
import { registerHooks } from 'node:module';

const replacement = new URL('with-deadlines.ts', import.meta.url);

export default function useDeadlines({ ms }: { readonly ms: number }): void {
  replacement.searchParams.set('ms', String(ms));
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'ava' && context.parentURL !== replacement.href
        ? { url: replacement.href, shortCircuit: true }
        : next(specifier, context),
  });
}
