import type { Exchange, Yielded } from '../../../../workers/gateway.ts';

import { enter, session } from './session.ts';

export default async function* application(exchange: Exchange): AsyncGenerator<Yielded> {
  const found = enter(exchange.request.fields.get('x-user'));
  yield { status: 200 };
  yield `${found}, then ${session.getStore()}`;
}
