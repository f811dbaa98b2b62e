import { H3, readBody, serve } from 'h3';

const app = new H3()
  .get('/', () => '⚡️ Tadaa!')
  .get('/hello/:name', (event) => ({ hello: event.context.params.name }))
  .post('/body', async (event) => ({ got: await readBody(event) }));

serve(app, { port: 3000 });
