/** Hono on its own Node server: an upload that is refused unread. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
app.post('/hono-listening/upload', (context) => context.text('not allowed', 403));

serve({ fetch: app.fetch, port: 0 });
