/**
 * The data in a page of a profile, as JSON: tables of strings and frames for all threads, and sequences of
 * integers as text.
 */

/** Whose code a frame belongs to. The page emphasises the first. */
export const Owner = { Application: 0, Dependency: 1, Sluice: 2, Node: 3, Native: 4, Collector: 5 } as const;
export type Owner = (typeof Owner)[keyof typeof Owner];

export interface PageData {
  readonly title: string;
  readonly subtitle: string;
  /** The period shown, from the first thread's start to the last one's end. */
  readonly durationUs: number;
  readonly strings: readonly string[];
  /** Indexes of name and URL in `strings`, line and column from 1 (0: unknown), and `Owner`. */
  readonly frames: readonly (readonly [
    name: number,
    url: number,
    line: number,
    column: number,
    owner: number,
  ])[];
  readonly lanes: readonly LaneData[];
  readonly exchanges: ExchangesData;
  readonly notes: readonly string[];
}

export interface LaneData {
  readonly name: string;
  readonly pool: string;
  /** Why the lane is shorter than others; empty: it is not. */
  readonly note: string;
  /**
   * For each node but the root: how far before it its parent is (the root is 0, the first node 1), and its
   * frame.
   */
  readonly nodes: string;
  /**
   * For each run: the time since the end of the previous one, its duration, and the node's number less the
   * previous one. Node 0: idle.
   */
  readonly runs: string;
}

export interface ExchangesData {
  readonly oneOf: number;
  readonly labels: readonly string[];
  readonly pools: readonly string[];
  readonly threads: readonly string[];
  /**
   * For each exchange: label, pool, thread, microseconds since the previous exchange was submitted. Then, for
   * assigned, begun, first byte, released and ended: 0 if it has not happened, otherwise one more than the
   * time since submission. Then recalls; refused; the number of stalls; and for each stall its kind, start
   * and duration.
   */
  readonly rows: string;
}
