import { createServer } from 'node:http';

createServer((_req, res) => res.end(<p>a page</p>)).listen(3000);
