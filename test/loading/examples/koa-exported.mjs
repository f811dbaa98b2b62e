// Koa with @koa/router, exported.
import Router from '@koa/router';
import Koa from 'koa';

const app = new Koa();
const router = new Router();
router.get('/hello/:name', (ctx) => {
  ctx.body = { hello: ctx.params.name };
});
app.use(router.routes()).use(router.allowedMethods());

export default app;
