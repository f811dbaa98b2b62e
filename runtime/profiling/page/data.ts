/** What a page of a profile carries, as JSON: tables of strings and frames for all threads, and sequences of integers as text. */

/** Whose code a frame is. The page stresses the first. */
export const Owner = { Application: 0, Dependency: 1, Sluice: 2, Node: 3, Native: 4, Collector: 5 } as const;
export type Owner = (typeof Owner)[keyof typeof Owner];

export interface PageData {
  readonly title: string;
  readonly subtitle: string;
  /** What is shown, from the first thread's start to the last one's end. */
  readonly durationUs: number;
  readonly strings: readonly string[];
  /** Name and URL in `strings`, line and column from 1 (0: unknown), and `Owner`. */
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
  /** Why it is shorter than the others; empty: it is not. */
  readonly note: string;
  /** For each node but the root: how far before it its parent stands (the root is 0, the first node 1), and its frame. */
  readonly nodes: string;
  /** For each run: time since the end of the one before, duration, and the node's number less the one before. Node 0: idle. */
  readonly runs: string;
}

export interface ExchangesData {
  readonly oneOf: number;
  readonly labels: readonly string[];
  readonly pools: readonly string[];
  readonly threads: readonly string[];
  /**
   * For each: label, pool, thread, microseconds since the exchange before was submitted; then since that, and 0 for what has not
   * happened, and one more than the time for what has: assigned, begun, first byte, released, ended; recalls; refused; how many stalls; for
   * each its kind, start and duration.
   */
  readonly rows: string;
}
