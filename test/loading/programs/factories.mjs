/** Functions that give an application, as tests of frameworks want them, and one that starts a server. */
import { createServer } from 'node:http';

const answering = (text) => createServer((_req, res) => res.end(text));

export const build = async () => answering('built');
export const listening = () => {
  answering('started').listen(3000);
};
export const nothing = () => undefined;
export const number = () => 7;
export default () => (_req, res) => res.end('made by default');
