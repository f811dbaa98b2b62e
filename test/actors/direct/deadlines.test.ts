/** The same over direct channels. */
import './at-once.ts';

import '../deadlines.test.ts';
