/** Throws a value, by name, in a place, by name: `/PLACE/NAME`. */
import type { Exchange } from '../../../workers/gateway.ts';
import { thrownValues } from '../thrown-values.ts';

const places: { readonly [place: string]: (value: unknown) => void | Promise<void> } = {
  exchange: (value) => {
    throw value;
  },
  'async-exchange': async (value) => {
    await Promise.resolve();
    throw value;
  },
  callback: (value) => {
    setImmediate(() => {
      throw value;
    });
  },
  rejection: (value) => {
    void Promise.reject(value);
  },
  // What its own handler throws, Node sends by itself.
  handler: (value) => {
    process.on('uncaughtException', () => {
      throw value;
    });
    setImmediate(() => {
      throw new Error('the first');
    });
  },
};

export default async function throwing(exchange: Exchange): Promise<void> {
  const { pathname } = new URL(exchange.request.path, 'http://test.invalid');
  const [, , place = '', name = ''] = pathname.split('/');
  const make = thrownValues[name];
  const act = places[place];
  if (make === undefined || act === undefined) return exchange.respond(200, {}, 'well');
  await act(make());
  await exchange.closed;
}
