/** The same over direct channels. */
import './at-once.ts';

import '../contexts.test.ts';
