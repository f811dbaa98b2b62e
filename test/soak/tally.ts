/** What became of everything that was sent. */

/** `right`: whole and its own. `refused`: 503. `failed`: 502, or cut, where threads are killed. `given up`: by the client itself. */
export type Outcome = 'right' | 'refused' | 'failed' | 'given up' | 'wrong' | 'lost';

const KEPT_FINDINGS = 20;

export class Tally {
  readonly #counts = new Map<string, Record<Outcome, number>>();
  /** The first of what was wrong or lost. */
  readonly findings: string[] = [];
  #sent = 0;

  sent(): void {
    this.#sent++;
  }

  count(client: string, outcome: Outcome, about: string): void {
    let counts = this.#counts.get(client);
    if (counts === undefined) {
      counts = { right: 0, refused: 0, failed: 0, 'given up': 0, wrong: 0, lost: 0 };
      this.#counts.set(client, counts);
    }
    counts[outcome]++;
    const isFinding = outcome === 'wrong' || outcome === 'lost';
    if (isFinding && this.findings.length < KEPT_FINDINGS)
      this.findings.push(`${client}: ${outcome}: ${about}`);
  }

  get totals(): Record<Outcome | 'sent', number> {
    const totals = { sent: this.#sent, right: 0, refused: 0, failed: 0, 'given up': 0, wrong: 0, lost: 0 };
    for (const counts of this.#counts.values()) {
      for (const [outcome, count] of Object.entries(counts)) totals[outcome as Outcome] += count;
    }
    return totals;
  }

  get rows(): readonly (readonly [client: string, counts: Record<Outcome, number>])[] {
    return [...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
