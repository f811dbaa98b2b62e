/** An application's own OpenTelemetry, whose spans go to the test over a BroadcastChannel of the name in the environment. */
import { BroadcastChannel } from 'node:worker_threads';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

const channel = new BroadcastChannel(process.env.TEST_SPANS ?? '');
channel.unref();

const ms = ([seconds, nanoseconds]) => seconds * 1_000 + nanoseconds / 1e6;

/** As `Told` of told.ts. */
function told(span) {
  return {
    name: span.name,
    kind: span.kind,
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    startMs: ms(span.startTime),
    endMs: ms(span.endTime),
    status: span.status.code,
    scope: span.instrumentationScope.name,
    attributes: { ...span.attributes },
    events: span.events.map(({ name }) => name),
  };
}

export const provider = new NodeTracerProvider({
  spanProcessors: [
    new SimpleSpanProcessor({
      export: (spans, done) => {
        for (const span of spans) channel.postMessage(told(span));
        done({ code: 0 });
      },
      shutdown: async () => undefined,
    }),
  ],
});
provider.register();
