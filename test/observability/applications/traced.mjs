/** A native application that makes a span of its own, and says which trace its request is of. */
import './telemetry.mjs';
import { trace } from '@opentelemetry/api';

const tracer = trace.getTracer('application');

export default async (exchange) => {
  const { path, fields } = exchange.request;
  if (path === '/fail') throw new TypeError('asked to');
  if (path === '/reset') return exchange.reset();
  await tracer.startActiveSpan('own work', async (span) => {
    await new Promise(setImmediate);
    span.end();
  });
  if (path.startsWith('/large')) {
    exchange.respond(200);
    for (let piece = 0; piece < 64; piece++) await exchange.write(Buffer.alloc(65_536));
    await exchange.end();
    return;
  }
  const { traceId, spanId } = trace.getActiveSpan()?.spanContext() ?? {};
  exchange.respond(200, {}, JSON.stringify({ traceId, spanId, traceparent: fields.get('traceparent') }));
};
