// As the template "node-custom-server" has it.
import { createRequestHandler } from '@react-router/express';
import express from 'express';

const app = express();
app.disable('x-powered-by');
app.use('/assets', express.static('build/client/assets', { immutable: true, maxAge: '1y' }));
app.use(express.static('build/client', { maxAge: '1h' }));
app.use(createRequestHandler({ build: await import('./build/server/index.js') }));

const port = Number.parseInt(process.env.PORT || '3000', 10);
app.listen(port, () => {
  console.log(`Server is running on http://localhost:${port}`);
});
