// As on koajs.com, "Cascading".
const Koa = require('koa');
const app = new Koa();

// logger
app.use(async (ctx, next) => {
  await next();
  ctx.set('X-Logged', `${ctx.method} ${ctx.url} - ${ctx.response.get('X-Response-Time')}`);
});

// x-response-time
app.use(async (ctx, next) => {
  await next();
  ctx.set('X-Response-Time', '1ms');
});

// response
app.use(async (ctx) => {
  ctx.body = 'Hello World';
});

app.listen(3000);
