/** The same over direct channels. */
import './at-once.ts';

import '../deaths.test.ts';
