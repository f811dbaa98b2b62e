import test from 'ava';
import fc from 'fast-check';
import { type Job, JobList } from '../../runtime/pools/job.ts';
import { RecordingJob } from './recording-job.ts';

function names(list: JobList): string[] {
  const forward: string[] = [];
  for (let job: Job | null = list.head; job !== null; job = job.next)
    forward.push((job as RecordingJob).name);
  const backward: string[] = [];
  for (let job: Job | null = list.tail; job !== null; job = job.previous) {
    backward.unshift((job as RecordingJob).name);
  }
  if (forward.join() !== backward.join()) throw new Error(`${forward.join()} is not ${backward.join()}`);
  return forward;
}

test('jobs come out in the order they went in, the ones put in front first', (t) => {
  const list = new JobList();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new RecordingJob(name));
  list.push(a!);
  list.push(b!);
  list.unshift(c!);
  t.deepEqual(names(list), ['c', 'a', 'b']);
  t.is(list.shift(), c!);
  t.is(list.size, 2);
});

test('an empty list gives null', (t) => {
  const list = new JobList();
  t.is(list.shift(), null);
  t.is(list.size, 0);
});

test('a job that was removed can go into another list', (t) => {
  const first = new JobList();
  const second = new JobList();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new RecordingJob(name));
  for (const job of [a!, b!, c!]) first.push(job);
  first.remove(b!);
  second.push(b!);
  t.deepEqual(names(first), ['a', 'c']);
  t.deepEqual(names(second), ['b']);
});

test('property: a list is what an array would be', (t) => {
  const step = fc.tuple(fc.constantFrom('push', 'unshift', 'remove', 'shift'), fc.nat());
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const list = new JobList();
        const model: RecordingJob[] = [];
        for (const [what, where] of steps) {
          if (what === 'push' || what === 'unshift') {
            const job = new RecordingJob(String(where));
            list[what](job);
            model[what](job);
          } else if (what === 'shift') {
            if (list.shift() !== (model.shift() ?? null)) return false;
          } else if (model.length > 0) {
            const [job] = model.splice(where % model.length, 1);
            list.remove(job!);
          }
          if (list.size !== model.length) return false;
          if (names(list).join() !== model.map(({ name }) => name).join()) return false;
        }
        return true;
      }),
      { includeErrorInReport: true },
    ),
  );
});
