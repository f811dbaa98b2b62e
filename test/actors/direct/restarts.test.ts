/** The same over direct channels. */
import './at-once.ts';

import '../restarts.test.ts';
