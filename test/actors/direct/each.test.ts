/** The same over direct channels. */
import './at-once.ts';

import '../each.test.ts';
