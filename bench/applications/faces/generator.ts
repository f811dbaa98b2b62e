/** `/hello` as an async generator. */
import type { Yielded } from '../../../workers/gateway.ts';
import { HELLO } from '../../content.ts';

const body = Buffer.from(HELLO);
const head = {
  status: 200,
  fields: Object.freeze({ 'content-type': 'text/plain', 'content-length': String(body.length) }),
};

export default async function* hello(): AsyncGenerator<Yielded, void, void> {
  yield head;
  yield body;
}
