import Koa from 'koa';
import { raw } from './raw.ts';

const app = new Koa();
app.silent = true;
app.use((context) => {
  // Koa leaves the response to who writes it.
  context.respond = false;
  context.res.statusCode = 200;
  raw(context.req, context.res);
});

export default app;
