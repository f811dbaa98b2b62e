/** `/hello` in Express, as on node:http2 in bench/baselines. */
import express from 'express';
import { HELLO } from '../../content.ts';

const app = express();
app.get('/hello', (_request, response) => {
  response.type('text/plain').send(HELLO);
});

export default app;
