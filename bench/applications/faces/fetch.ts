/** `/hello` as a Fetch handler. */
import { HELLO } from '../../content.ts';

const init = { headers: { 'content-type': 'text/plain', 'content-length': String(HELLO.length) } };

export default {
  fetch(): Response {
    return new Response(HELLO, init);
  },
};
