/** The same over direct channels. */
import './at-once.ts';

import '../asks.test.ts';
