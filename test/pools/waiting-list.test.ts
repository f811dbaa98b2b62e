import test from 'ava';
import * as fc from 'fast-check';
import { WaitingList } from '../../runtime/pools/waiting-list.ts';
import { RecordingJob } from './recording-job.ts';

class UrgentJob extends RecordingJob {
  readonly #urgency: number;
  readonly #source: object | null;

  constructor(name: string, urgency: number, source: object | null) {
    super(name);
    this.#urgency = urgency;
    this.#source = source;
  }

  override get urgency(): number {
    return this.#urgency;
  }

  override get source(): object | null {
    return this.#source;
  }
}

function contentOf(list: WaitingList): UrgentJob[] {
  const forwards: UrgentJob[] = [];
  for (let job = list.head; job !== null; job = job.next) forwards.push(job as UrgentJob);
  const backwards: UrgentJob[] = [];
  for (let job = list.tail; job !== null; job = job.previous) backwards.unshift(job as UrgentJob);
  if (forwards.length !== list.size || forwards.some((job, index) => job !== backwards[index]))
    throw new Error('its links do not agree');
  return forwards;
}

const names = (list: WaitingList) => contentOf(list).map(({ name }) => name);

test('a more urgent job takes the place of a less urgent one of its own source, and that one its place', (t) => {
  const [one, other] = [{}, {}];
  const list = new WaitingList();
  list.push(new UrgentJob('1 late', 5, one));
  list.push(new UrgentJob('2 later', 7, other));
  list.push(new UrgentJob('1 usual', 3, one));
  list.push(new UrgentJob('2 usual', 3, other));
  t.deepEqual(names(list), ['1 usual', '2 usual', '1 late', '2 later']);
  list.push(new UrgentJob('1 first', 0, one));
  t.deepEqual(names(list), ['1 first', '2 usual', '1 usual', '2 later', '1 late']);
});

test('jobs of nobody in particular keep their order', (t) => {
  const list = new WaitingList();
  for (const urgency of [5, 3, 0]) list.push(new UrgentJob(String(urgency), urgency, null));
  t.deepEqual(names(list), ['5', '3', '0']);
});

test('the jobs that have waited too long are found wherever they stand', (t) => {
  const source = {};
  const list = new WaitingList();
  const old = new UrgentJob('old', 7, source);
  old.waitingSinceMs = 1;
  const young = new UrgentJob('young', 0, source);
  young.waitingSinceMs = 10;
  list.push(old);
  list.push(young);
  t.is(list.head, young);
  t.is(list.waitingSinceBefore(5), old);
  list.remove(old);
  t.is(list.waitingSinceBefore(5), null);
});

for (const way of ['push', 'unshift'] as const) {
  test(`a job that has waited too long is found behind a younger one: ${way}`, (t) => {
    const list = new WaitingList();
    const old = new RecordingJob('old');
    old.waitingSinceMs = 1;
    const young = new RecordingJob('young');
    young.waitingSinceMs = 10;
    const jobs = way === 'push' ? [young, old] : [old, young];
    for (const job of jobs) list[way](job);
    t.is(list.head, young);
    t.is(list.waitingSinceBefore(5), old);
  });
}

test('whatever comes and goes, each source has the places that it had, and its jobs stand by urgency and then by age', (t) => {
  const sources = [{}, {}, {}];
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ source: fc.nat(2), urgency: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(20) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const list = new WaitingList();
      const places: object[] = [];
      let count = 0;
      for (const what of steps) {
        if ('remove' in what) {
          const jobs = contentOf(list);
          const job = jobs[what.remove];
          if (job === undefined) continue;
          list.remove(job);
          places.splice(what.remove, 1);
          continue;
        }
        const source = sources[what.source] as object;
        const job = new UrgentJob(String(count), what.urgency, source);
        job.waitingSinceMs = count++;
        list.push(job);
        places.push(source);
      }
      const jobs = contentOf(list);
      t.deepEqual(
        jobs.map((job) => sources.indexOf(job.source as object)),
        places.map((source) => sources.indexOf(source)),
      );
      for (const source of sources) {
        const own = jobs.filter((job) => job.source === source);
        const sorted = own.toSorted((a, b) => a.urgency - b.urgency || a.waitingSinceMs - b.waitingSinceMs);
        t.deepEqual(own, sorted);
      }
      return true;
    }),
  );
});
