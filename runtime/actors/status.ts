/** The part of a status that describes actors and topics. */
import { type ActorCounts, sumOfCounts } from '../../wire/actors/counters.ts';
import type {
  ActorStatus,
  ActorWorkStatus,
  DirectChannelsStatus,
  TopicsStatus,
} from '../status/status-types.ts';
import { round, waitStatus } from '../status/wait-status.ts';
import type { ActorDirectory } from './directory.ts';

export function actorStatuses(directory: ActorDirectory | null): readonly ActorStatus[] {
  if (directory === null) return [];
  return directory.actors.map((actor) => {
    const { settings, tally, gone } = actor;
    const { name, kind, pool } = settings;
    const threads = [...directory.links]
      .filter((link) => link.pool === pool)
      .map((link) => ({
        thread: link.name,
        given: link.givenOf(actor),
        ...workStatus(link.counters.read(actor.index)),
      }));
    const total = [...directory.links].reduce(
      (sum, link) => sumOfCounts(sum, link.counters.read(actor.index)),
      gone,
    );
    return {
      name,
      kind,
      pool,
      instances: kind === 'pool' ? actor.links.length : actor.placed,
      mailboxes: actor.mailboxes.size,
      messages: actor.messages,
      bytes: actor.bytes,
      deepestMailbox: tally.deepest,
      accepted: tally.accepted,
      refused: tally.refused,
      failedTells: tally.failedTells,
      restarts: tally.restarts,
      lostTells: tally.lostTells,
      queueWait: waitStatus(tally.queueWait, true),
      total: workStatus(total),
      threads,
    };
  });
}

function workStatus({ begun, ended, failed, dropped, waitMs, runMs }: ActorCounts): ActorWorkStatus {
  return { begun, ended, failed, dropped, waitMs: round(waitMs), runMs: round(runMs) };
}

export function directChannelsStatus(directory: ActorDirectory | null): DirectChannelsStatus | null {
  if (directory === null) return null;
  const { size, most, conversations, tally } = directory.direct;
  return {
    channels: size,
    max: most,
    conversations,
    made: tally.channels,
    begun: tally.conversations,
    refused: tally.refused,
    calls: tally.calls,
  };
}

export function topicsStatus(directory: ActorDirectory | null): TopicsStatus | null {
  if (directory === null) return null;
  const { topics } = directory;
  const threads = topics.outlets.map(({ link, readers, waitingBytes, dropped }) => ({
    thread: link.name,
    topics: readers.size,
    waitingBytes,
    dropped,
  }));
  const { published, events, refused, droppedBefore } = topics.tally;
  return {
    topics: topics.size,
    published,
    sent: events,
    dropped: threads.reduce((sum, { dropped }) => sum + dropped, droppedBefore),
    refused,
    threads,
  };
}
