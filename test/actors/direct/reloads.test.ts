/** The same over direct channels. */
import './at-once.ts';

import '../reloads.test.ts';
