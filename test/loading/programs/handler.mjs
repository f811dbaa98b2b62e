export const handler = (_req, res) => res.end('a handler');
export const settings = { compress: true };
