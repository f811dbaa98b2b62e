/** Where the violations of one exchange go: the first of each side fails it, and every one is told. */
import { Violation } from './violation.ts';

export type OnViolation = (violation: Violation) => void;

export class Report {
  readonly #onViolation: OnViolation | undefined;
  readonly #warned: Set<string>;
  #first: Violation | null = null;
  #isOver = false;

  /** @param warned rules of which the process has been warned */
  constructor(onViolation: OnViolation | undefined, warned: Set<string>) {
    this.#onViolation = onViolation;
    this.#warned = warned;
  }

  /** The function is over: what is found now can fail no exchange. */
  over(): void {
    this.#isOver = true;
  }

  /** The exchange fails with it when its function is over. */
  get first(): Violation | null {
    return this.#first;
  }

  /** The application is told at the call that broke the rule. */
  application(rule: string, message: string): Violation {
    return this.#add(new Violation(rule, 'application', message));
  }

  /** Nobody called it: it is told when the function is over, and by `onViolation`. */
  server(rule: string, message: string): Violation {
    return this.#add(new Violation(rule, 'server', message));
  }

  /** Once for each rule: what a server does to one exchange it does to all. */
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
