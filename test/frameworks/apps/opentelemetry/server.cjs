const { finished } = require('./tracing.cjs');
const { SpanKind, trace } = require('@opentelemetry/api');
const express = require('express');

const app = express();
app.use(express.json());

const traceId = () => trace.getActiveSpan()?.spanContext().traceId ?? 'none';

// The trace that the request came with is the one that its handler works in, whatever it has waited for.
app.post('/trace', async (req, res) => {
  const seen = [traceId()];
  await new Promise((done) => setTimeout(done, req.body.ms));
  seen.push(traceId());
  res.json(seen);
});
app.get('/broken', () => {
  throw new Error('broken');
});
app.get('/spans', (_req, res) => {
  const spans = finished().filter(({ kind }) => kind === SpanKind.SERVER);
  res.json(
    spans.map((span) => ({
      name: span.name,
      status: span.status.code,
      attributes: span.attributes,
      traceId: span.spanContext().traceId,
      parent: span.parentSpanContext?.spanId ?? null,
    })),
  );
});
app.listen(process.env.PORT ?? 3000, '127.0.0.1');
