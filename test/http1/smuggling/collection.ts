/**
 * Messages by which one client's bytes have become another client's request: whatever two servers have been seen to read in
 * two ways. Each says what must come of it and which section decides that. `test/http1/smuggling-reader.test.ts` asks the
 * reader, `test/http1/smuggling.test.ts` a whole server over a socket.
 */

import { behind } from './behind.ts';
import type { SmugglingCase } from './case.ts';
import { chunks } from './chunks.ts';
import { codings } from './codings.ts';
import { lines } from './field-lines.ts';
import { lengths } from './lengths.ts';
import { limits } from './limits.ts';
import { requestLines } from './request-lines.ts';
import { hostsAndTargets } from './targets.ts';
import { trailers } from './trailers.ts';

export const smugglingCases: readonly SmugglingCase[] = [
  ...lengths,
  ...codings,
  ...chunks,
  ...trailers,
  ...lines,
  ...requestLines,
  ...hostsAndTargets,
  ...limits,
  ...behind,
];
