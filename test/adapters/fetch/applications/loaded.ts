/** Says whether its thread has loaded Node's Fetch: `native` before anything looks at it, `fetch` what its requests are. */
import type { Exchange } from '../../../../workers/gateway.ts';

const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
const isLoaded = (): boolean => moduleLoadList.some((name) => name.endsWith('internal/deps/undici/undici'));
const atLoad = isLoaded();

export const native = (exchange: Exchange): void => {
  exchange.respond(200, {}, JSON.stringify({ atLoad, now: isLoaded() }));
};

export const handler = {
  fetch(request: Request): Response {
    const symbols = Object.getOwnPropertySymbols(Object.getPrototypeOf(request));
    const isLazy = symbols.some(({ description }) => description === 'sluice.platformRequest');
    return Response.json({ atLoad, isLazy });
  },
};
