/**
 * The validator (docs/sgi.md, section 14). It wraps an application and checks both the application and its
 * server against the interface's rules, as wsgiref.validate does for WSGI. Published as `sluice/validator`.
 */
import type { Application, Exchange } from '../gateway.ts';
import { type OnViolation, Report } from './report.ts';
import { ValidatedExchange } from './validated-exchange.ts';

export { type Side, Violation } from './violation.ts';

export interface ValidateOptions {
  /**
   * Called for every violation when it is found; in addition, the first one of an exchange fails the
   * exchange. Without it, a violation found after the function is over becomes a warning of the process
   * (`process.on('warning')`), once for each rule.
   */
  readonly onViolation?: OnViolation;
}

/**
 * A violation by the application is thrown at the call that broke the rule. A violation by either side makes
 * the exchange fail.
 */
export function validate(application: Application, options: ValidateOptions = {}): Application {
  const warned = new Set<string>();
  return async (exchange: Exchange) => {
    const report = new Report(options.onViolation, warned);
    const validated = new ValidatedExchange(exchange, report);
    let returned: unknown;
    try {
      returned = await application(validated);
      // After a cut there is nothing left to complete.
      const isOpen = validated.state === 'idle' || validated.state === 'started';
      if (isOpen && report.first === null && !exchange.signal.aborted)
        report.application('1.3', 'expected a complete response or a tunnel before the function ended');
    } finally {
      validated.release();
      report.over();
    }
    if (report.first !== null) throw report.first;
    return returned as undefined;
  };
}
