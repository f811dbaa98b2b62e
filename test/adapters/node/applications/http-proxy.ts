/** http-proxy-middleware in Express, to where the request says. */
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const app = express();
app.use(
  createProxyMiddleware({
    target: 'http://127.0.0.1:1',
    router: (req) => String(req.headers['x-upstream']),
  }) as never,
);

export default app;
