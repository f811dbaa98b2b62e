/** A program for node:http that is instrumented by OpenTelemetry's own package, as its documentation says. */
import './telemetry.mjs';
import { createRequire } from 'node:module';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { provider } from './telemetry.mjs';

const instrumentation = new HttpInstrumentation();
instrumentation.setTracerProvider(provider);
instrumentation.enable();

const require = createRequire(import.meta.url);
const http = require('node:http');

http.createServer((_req, res) => res.end('instrumented')).listen(3_000);
