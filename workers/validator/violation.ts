/** A rule of docs/sgi.md was broken, and by whom. */

export type Side = 'application' | 'server';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly code = 'SLUICE_GATEWAY_VIOLATION';
  /** For example `5.3`. */
  readonly rule: string;
  readonly side: Side;

  constructor(rule: string, side: Side, message: string) {
    super(
      `${side === 'server' ? 'the server' : 'the application'} broke rule ${rule} of the gateway interface: ${message}`,
    );
    this.rule = rule;
    this.side = side;
  }
}
