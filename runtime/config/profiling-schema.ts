/** The configuration's `profiling`: what `sluice profile` may ask of the running server. */
import { section, wholeNumber } from './fields.ts';

export const profilingSection = section('Limits of profiles of the running server (see sluice-profile.md).', {
  maxSeconds: wholeNumber(
    'The longest that a profile may run. A CPU profile of more than a minute takes its samples less often.',
    { from: 1, to: 3_600, byDefault: 300 },
  ),
  maxBytes: wholeNumber(
    'Bytes that one profile may send to the command; beyond that it ends. A heap snapshot takes about twice the heap.',
    { from: 1_048_576, to: 17_179_869_184, byDefault: 4_294_967_296 },
  ),
  maxExchanges: wholeNumber(
    'Exchanges whose waits a CPU profile records; if there are more, it records every second one, then every fourth, and so on. Each takes about 300 bytes.',
    { from: 100, to: 1_000_000, byDefault: 20_000 },
  ),
});
