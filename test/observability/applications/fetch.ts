/** The same as a Fetch handler finds it. */
export default {
  fetch: (request: Request): Response => {
    const id = request.headers.get('x-request-id');
    return Response.json(id === null ? [] : [id]);
  },
};
