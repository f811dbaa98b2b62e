/** What a connection's pace decides at its ticks, with a clock controlled by the test. */
import test from 'ava';
import { Http1Pace } from '../../runtime/connections/http1-pace.ts';
import { Deadline } from '../../runtime/deadlines/counters.ts';
import type { Http1Message } from '../../runtime/http1/message.ts';
import { Driver, defaults } from './driver.ts';
import { message } from './raw.ts';

const STEP_MS = 1_000;
const options = { ...defaults, discardTimeoutMs: 2 * STEP_MS };

/** A request that is answered and dropped before it is complete. */
function answerHalf(driver: Driver): void {
  driver.receive(message(['POST / HTTP/1.1', 'Host: a', 'Content-Length: 2'], 'x'));
  const upload = driver.messages.at(-1);
  if (upload === undefined) throw new Error('expected a request');
  driver.engine.dropRequest(upload);
  driver.answer(upload, 'a');
  driver.output();
}

test('an unwanted body may take discardTimeoutMs to arrive', (t) => {
  const driver = new Driver(options);
  const pace = new Http1Pace(0);
  answerHalf(driver);
  const missed = [1, 2, 3].map((tick) => pace.missedBy(driver.engine, options, tick * STEP_MS, STEP_MS));
  t.deepEqual(missed, [null, null, 'discard']);
});

test('each such body has that time for itself, even if every tick finds one', (t) => {
  const driver = new Driver(options);
  const pace = new Http1Pace(0);
  for (let tick = 1; tick <= 10; tick++) {
    answerHalf(driver);
    t.true(driver.engine.isDiscarding);
    t.is(pace.missedBy(driver.engine, options, tick * STEP_MS, STEP_MS), null);
    driver.receive('x');
    t.false(driver.engine.isDiscarding);
  }
});

test('each head has its own time as well', (t) => {
  const head = { ...options, headerTimeoutMs: 2 * STEP_MS };
  const driver = new Driver(head);
  const pace = new Http1Pace(0);
  for (let tick = 1; tick <= 10; tick++) {
    driver.receive('GET / HTTP/1.1\r\n');
    t.is(pace.missedBy(driver.engine, head, tick * STEP_MS, STEP_MS), null);
    driver.receive('Host: a\r\n\r\n');
    const request = driver.messages.at(-1);
    if (request === undefined) throw new Error('expected a request');
    driver.answer(request, 'a');
    driver.output();
  }
  driver.receive('GET / HTTP/1.1\r\n');
  const missed = [11, 12, 13].map((tick) => pace.missedBy(driver.engine, head, tick * STEP_MS, STEP_MS));
  t.deepEqual(missed, [null, null, Deadline.Header]);
});

test('a client that has not taken its last response is not idle yet', (t) => {
  const idle = { ...options, keepAliveTimeoutMs: 2 * STEP_MS };
  const driver = new Driver(idle);
  const pace = new Http1Pace(0);
  const tick = (count: number) => pace.missedBy(driver.engine, idle, count * STEP_MS, STEP_MS);
  driver.receive(message(['GET / HTTP/1.1', 'Host: a']));
  driver.answer(driver.messages[0] as Http1Message, 'a');
  pace.onClose(0);
  t.is(driver.engine.messageCount, 0);
  for (let count = 1; count <= 10; count++) t.is(tick(count), null);
  driver.output();
  t.deepEqual([11, 12].map(tick), [null, Deadline.Idle]);
});
