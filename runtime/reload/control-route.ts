/** `POST /reload` on the control socket. */
import { ConfigError } from '../config/errors.ts';
import { ControlRefusal } from '../control/errors.ts';
import type { ControlExchange } from '../control/routes.ts';
import { sourceLineOf } from '../logging/source-line.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import { ReloadStoppedError } from './errors.ts';
import type { Reloader } from './reloader.ts';

/** @throws ControlRefusal if the running version stays */
export async function answerReload(exchange: ControlExchange, reloader: Reloader): Promise<void> {
  try {
    exchange.answer(200, await reloader.reload('control socket'));
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof ConfigError) {
    // If there is a single problem, its own code is more useful to scripts.
    const [only, ...others] = error.problems;
    const code = only !== undefined && others.length === 0 ? only.code : error.code;
    return new ControlRefusal(422, code, error.message);
  }
  if (error instanceof ApplicationLoadError) return new ControlRefusal(422, error.code, placed(error));
  if (error instanceof ReloadStoppedError) return new ControlRefusal(503, error.code, error.message);
  return error;
}

/** The message with the file and line of the module's error. */
function placed({ message, report }: ApplicationLoadError): string {
  const source = sourceLineOf(report.stack);
  return source === null ? message : `${message}, at ${source.split('\n', 1)[0]}`;
}
