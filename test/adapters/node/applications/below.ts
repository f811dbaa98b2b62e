/** A native application below a layer that has put its own `end` over the response's. */
import connect from 'connect';
import { toNode } from '../../../../workers/adapters/node/to-node.ts';
import type { Application } from '../../../../workers/gateway.ts';

let told = 'nothing';

const native: Application = async (exchange) => {
  const step = exchange.request.path.split('/').at(-1);
  if (step === 'told') return exchange.respond(200, {}, told);
  try {
    if (step === 'length') exchange.respond(200, { 'content-length': 3 }, 'abcdef');
    exchange.respond(200, { trailer: 'set-cookie' });
    await exchange.write('begun');
    exchange.end({ 'set-cookie': 'a=1' });
  } catch (error) {
    told = `${step}: ${(error as { code?: string }).code}`;
    throw error;
  }
};

const app = connect();
app.use((_req, res, next) => {
  const end = res.end as (...args: unknown[]) => typeof res;
  res.end = ((...args: unknown[]) => end.apply(res, args)) as typeof res.end;
  next();
});
app.use(toNode(native) as never);

export default app;
