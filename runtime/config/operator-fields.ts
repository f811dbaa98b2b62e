/** What the sections of the operators' listeners (`control`, `monitoring`, `admin`) have in common. */
import { wholeNumber } from './fields.ts';

export const maxStreams = () =>
  wholeNumber(
    'Streams of an HTTP/2 connection at once, at most http2.maxConcurrentStreams. Each may hold an answer that is not read. HTTP/1.1 has one request at a time.',
    { from: 1, to: 1_024, byDefault: 8 },
  );

/** Where a handler may take the reactor's time. */
export const busyFields = () => ({
  busyPercent: wholeNumber(
    "Percent of the reactor's time that answers may take, beyond busyBurstMs; further requests wait, so that what is expensive to answer slows only other such requests.",
    { from: 1, to: 100, byDefault: 10 },
  ),
  busyBurstMs: wholeNumber("Milliseconds of the reactor's time that answers may take at once.", {
    from: 1,
    to: 10_000,
    byDefault: 50,
  }),
});

export const maxRememberedAddresses = (what: string) =>
  wholeNumber(`Addresses (IPv6: /64) whose ${what} are counted; the one that asked longest ago makes room.`, {
    from: 1,
    to: 1_000_000,
    byDefault: 1_024,
  });
