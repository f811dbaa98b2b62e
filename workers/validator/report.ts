/** Where the violations of one exchange go: the first of each side fails it, and every one is told. */
import { Violation } from './violation.ts';

export type OnViolation = (violation: Violation) => void;

export class Report {
  readonly #onViolation: OnViolation | undefined;
  #first: Violation | null = null;

  constructor(onViolation: OnViolation | undefined) {
    this.#onViolation = onViolation;
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

  #add(violation: Violation): Violation {
    this.#first ??= violation;
    this.#onViolation?.(violation);
    return violation;
  }
}
