/** The same over direct channels. */
import './at-once.ts';

import '../streams.test.ts';
