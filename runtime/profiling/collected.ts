/** What a command has received of a profile, assembled from its frames. */
import { type CallTree, type CpuProfile, mergeParts } from './cpu-profile.ts';
import type { EndReason, ExchangeTable, Frame, ThreadName } from './messages.ts';

type Started = Extract<Frame, { type: 'started' }>;

export interface CollectedThread {
  readonly name: ThreadName;
  /** The thread began while the profile ran. */
  readonly joined: boolean;
  readonly atUs: number;
  /** If the thread ended while the profile ran: why and when. */
  readonly gone: { readonly cause: string; readonly atUs: number } | null;
  readonly problems: readonly string[];
  /** The parts of its CPU profile. */
  readonly parts: readonly CpuProfile[];
  /** The heap profile as V8 returns it; null: none. */
  readonly heap: string | null;
}

interface GrowingThread extends CollectedThread {
  gone: { readonly cause: string; readonly atUs: number } | null;
  readonly problems: string[];
  readonly parts: CpuProfile[];
  heap: string | null;
}

export class Collected {
  started: Started | null = null;
  /** Null: the stream ended early. */
  end: { readonly reason: EndReason; readonly endUs: number } | null = null;
  exchanges: ExchangeTable | null = null;
  stoodStillMs: number | null = null;
  /** Problems that concern no thread in particular. */
  readonly problems: string[] = [];
  readonly #threads = new Map<number, GrowingThread>();
  readonly #trees = new Map<CollectedThread, CallTree>();

  get threads(): readonly CollectedThread[] {
    return [...this.#threads.values()];
  }

  /** Adds a frame other than a piece of a heap snapshot. */
  add(head: Frame, bytes: Buffer): void {
    switch (head.type) {
      case 'started':
        this.started = head;
        break;
      case 'thread': {
        const { thread: name, joined, atUs } = head;
        const thread = { name, joined, atUs, gone: null, problems: [], parts: [], heap: null };
        this.#threads.set(name.threadId, thread);
        break;
      }
      case 'cpu':
        this.#threads.get(head.threadId)?.parts.push(JSON.parse(bytes.toString()));
        break;
      case 'heap': {
        const thread = this.#threads.get(head.threadId);
        if (thread !== undefined) thread.heap = bytes.toString();
        break;
      }
      case 'gone': {
        const thread = this.#threads.get(head.threadId);
        if (thread !== undefined) thread.gone = { cause: head.cause, atUs: head.atUs };
        break;
      }
      case 'problem':
        (this.#threads.get(head.threadId)?.problems ?? this.problems).push(head.what);
        break;
      case 'exchanges':
        this.exchanges = JSON.parse(bytes.toString());
        break;
      case 'snapshot-end':
        this.stoodStillMs = head.stoodStillMs;
        break;
      case 'end':
        this.end = head;
        break;
      case 'running':
      case 'snapshot':
        break;
    }
  }

  treeOf(thread: CollectedThread): CallTree {
    let tree = this.#trees.get(thread);
    if (tree === undefined) {
      tree = mergeParts(thread.parts);
      this.#trees.set(thread, tree);
    }
    return tree;
  }
}
