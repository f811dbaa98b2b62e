// As Astro's adapter exports it in its mode 'middleware', among other things.
const respond = (_req, res) => res.end('a named one of any number');
export const handler = async (...parameters) => respond(...parameters);
export const options = { host: 'localhost' };
export const startServer = () => {
  throw new Error('nobody asked for a server');
};
