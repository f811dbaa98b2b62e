import { Hono } from 'hono';
import { raw } from './raw.ts';

const app = new Hono();
app.all('*', (context) => raw(context.req.raw));

export default app;
