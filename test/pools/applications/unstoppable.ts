/** Throws what is no error when it is to stop. */
import type { Exchange } from '../../../workers/gateway.ts';

export default {
  application: (exchange: Exchange) => exchange.respond(200, {}, 'well'),
  stop: () => {
    throw Object.create(null);
  },
};
