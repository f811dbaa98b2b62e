/** The same over direct channels. */
import './at-once.ts';

import '../carry.test.ts';
