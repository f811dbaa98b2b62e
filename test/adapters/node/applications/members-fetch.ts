/** Tells what there is of the request that a Fetch handler is given, and of the response that it makes. */
import { tell } from '../members/told.ts';

export default {
  fetch(request: Request): Response {
    return Response.json({ Request: tell(request), Response: tell(new Response('content')) });
  },
};
