// As on hono.dev, "Getting Started", with a stream from "Streaming Helper".
import { Hono } from 'hono';
import { streamText } from 'hono/streaming';

const app = new Hono();

app.get('/', (c) => c.text('Hono!'));
app.get('/posts/:id', (c) => {
  c.header('X-Message', 'Hi!');
  return c.json({ id: c.req.param('id'), page: c.req.query('page') });
});
app.get('/stream', (c) =>
  streamText(c, async (stream) => {
    for (const word of ['one ', 'two ', 'three']) await stream.write(word);
  }),
);

export default app;
