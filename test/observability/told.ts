/** A span, as an application's SDK has told the test of it. */
export interface Told {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: number;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
}
