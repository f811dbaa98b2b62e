/** Ctrl-C during `sluice profile`. */
import { StopSignals } from '../process/stop-signals.ts';
import type { ProfileStream } from '../profiling/receive.ts';

/**
 * The first Ctrl-C ends the profile early, and the second gives up the report that is made of it. One that npx passes on, although the
 * terminal has sent it already, counts once.
 *
 * @returns a signal that aborts at the second
 */
export function listenForInterrupts(
  stream: Pick<ProfileStream, 'endEarly' | 'cancel'>,
  { first, second }: StopSignals = new StopSignals(),
): AbortSignal {
  const givenUp = new AbortController();
  void first.then(() => stream.endEarly());
  void second.then(() => {
    stream.cancel();
    givenUp.abort();
  });
  return givenUp.signal;
}
