// One function of one parameter, which is a Fetch handler, but cannot be told from a native application by its shape.
export default (_request: Request): Response => new Response('fetched');
