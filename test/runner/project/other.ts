/** A file beside the one that hangs. */
import test from 'ava';

test('a test of another file', (t) => t.pass());
