/** The same over direct channels. */
import './at-once.ts';

import '../tasks.test.ts';
