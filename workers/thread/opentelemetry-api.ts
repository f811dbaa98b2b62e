/**
 * The parts of `@opentelemetry/api` that are used here, as in every version since 1.4. These types are
 * Sluice's own, because the package is an optional peer dependency, and code must compile without it.
 */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Opaque: a request's place in a trace, and whatever else accompanies it. */
export interface Context {
  getValue(key: symbol): unknown;
}

export interface Span {
  isRecording(): boolean;
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { readonly code: number }): unknown;
  recordException(error: Error): void;
  /** @param endTime milliseconds of Unix time */
  end(endTime?: number): void;
}

export interface Tracer {
  startSpan(
    name: string,
    options: { readonly kind?: number; readonly startTime: number; readonly attributes?: Attributes },
    context: Context,
  ): Span;
}

export interface TextMapGetter<Carrier> {
  keys(carrier: Carrier): string[];
  get(carrier: Carrier, key: string): string | undefined;
}

export interface OpenTelemetryApi {
  readonly ROOT_CONTEXT: Context;
  readonly SpanKind: { readonly SERVER: number };
  readonly SpanStatusCode: { readonly ERROR: number };
  readonly trace: {
    getTracer(name: string): Tracer;
    setSpan(context: Context, span: Span): Context;
    getSpan(context: Context): Span | undefined;
  };
  readonly context: {
    with<Arguments extends unknown[], Result>(
      context: Context,
      call: (...args: Arguments) => Result,
      thisArgument: undefined,
      ...args: Arguments
    ): Result;
  };
  readonly propagation: {
    extract<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>): Context;
    inject<Carrier>(
      context: Context,
      carrier: Carrier,
      setter: { set(carrier: Carrier, key: string, value: string): void },
    ): void;
  };
}
