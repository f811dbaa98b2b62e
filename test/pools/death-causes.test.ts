/** Causes of deaths, of which test/monitoring has the others on a running server. */
import test from 'ava';
import { DEATH_CAUSES, deathCauseOf, noDeaths } from '../../runtime/pools/death-causes.ts';
import { ThreadEndCode, ThreadEndError } from '../../runtime/pools/thread-end-error.ts';
import { corrupt } from '../../wire/decoder.ts';
import { describeError } from '../../wire/error-report.ts';

const causeOf = (error: unknown, hasLoaded = true) => deathCauseOf(describeError(error), hasLoaded);

test('a thread that had not loaded died of that, whatever its error says', (t) => {
  t.is(causeOf(new Error('as its module wants it'), false), 'load');
  t.is(causeOf(new ThreadEndError(ThreadEndCode.Exited, 'worker exited with code: 1'), false), 'load');
});

test('ends that are ours are told apart by their code', (t) => {
  t.is(causeOf(corrupt('a string', 7)), 'channel');
  t.is(causeOf(new ThreadEndError(ThreadEndCode.Retired, 'another took its place')), 'retired');
  t.is(causeOf(new ThreadEndError(ThreadEndCode.Exited, 'it ended while it waited for files')), 'exit');
});

test('what no cause is known of was thrown by the application', (t) => {
  t.is(causeOf(null), 'uncaught');
  t.is(causeOf(Object.assign(new Error('x'), { code: 'EPIPE' })), 'uncaught');
});

test('each cause is counted from the start, so that a rate has a first value', (t) => {
  t.deepEqual(Object.keys(noDeaths()).toSorted(), [...DEATH_CAUSES].toSorted());
});
