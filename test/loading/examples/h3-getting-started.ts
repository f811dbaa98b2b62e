// As on h3.dev, "Getting Started".
import { H3 } from 'h3';

const app = new H3()
  .get('/', () => '⚡️ Tadaa!')
  .post('/echo', async (event) => ({ got: await event.req.json() }));

export default app;
