/** The same over direct channels. */
import './at-once.ts';

import '../inputs.test.ts';
