import Fastify from 'fastify';
import { tell } from './common.mjs';

const app = Fastify();
app.get('/', () => 'ok');
app.addHook('onClose', () => tell('onClose'));
export default app;
