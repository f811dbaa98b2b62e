/** Collects the violations of one exchange. The first one fails the exchange, and every one is reported. */
import { Violation } from './violation.ts';

export type OnViolation = (violation: Violation) => void;

export class Report {
  readonly #onViolation: OnViolation | undefined;
  readonly #warned: Set<string>;
  #first: Violation | null = null;
  #isOver = false;

  /** @param warned rules that the process was already warned about */
  constructor(onViolation: OnViolation | undefined, warned: Set<string>) {
    this.#onViolation = onViolation;
    this.#warned = warned;
  }

  /** The function is over: a violation found from now on cannot fail the exchange. */
  over(): void {
    this.#isOver = true;
  }

  /** The exchange fails with this violation when its function is over. */
  get first(): Violation | null {
    return this.#first;
  }

  /** The application gets the violation at the call that broke the rule. */
  application(rule: string, message: string): Violation {
    return this.#add(new Violation(rule, 'application', message));
  }

  /** No call broke the rule, so the violation is reported when the function is over, and to `onViolation`. */
  server(rule: string, message: string): Violation {
    return this.#add(new Violation(rule, 'server', message));
  }

  /** Warns once per rule: what a server does wrong in one exchange it does in all. */
  #warn(violation: Violation): void {
    const key = `${violation.side} ${violation.rule}`;
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    process.emitWarning(violation);
  }

  #add(violation: Violation): Violation {
    this.#first ??= violation;
    if (this.#onViolation !== undefined) this.#onViolation(violation);
    else if (this.#isOver) this.#warn(violation);
    return violation;
  }
}
