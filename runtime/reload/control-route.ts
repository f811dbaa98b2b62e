/** `POST /reload` on the control socket. */
import { ConfigError } from '../config/errors.ts';
import { ControlRefusal } from '../control/errors.ts';
import type { ControlExchange } from '../control/routes.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import { ReloadStoppedError } from './errors.ts';
import type { Reloader } from './reloader.ts';

/** @throws ControlRefusal when what runs goes on */
export async function answerReload(exchange: ControlExchange, reloader: Reloader): Promise<void> {
  try {
    exchange.answer(200, await reloader.reload('control socket'));
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof ConfigError) {
    // One problem is what scripts can act on.
    const [only, ...others] = error.problems;
    const code = only !== undefined && others.length === 0 ? only.code : error.code;
    return new ControlRefusal(422, code, error.message);
  }
  if (error instanceof ApplicationLoadError) return new ControlRefusal(422, error.code, error.message);
  if (error instanceof ReloadStoppedError) return new ControlRefusal(503, error.code, error.message);
  return error;
}
