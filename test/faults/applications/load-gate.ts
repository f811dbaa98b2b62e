/** Does not load, when its test says so. */
import { readFileSync } from 'node:fs';

readFileSync(process.env.TEST_GATE as string);
throw new Error('through the gate');
