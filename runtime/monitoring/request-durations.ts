/**
 * Durations of requests from admission to end, by route, protocol version, method and status class: OpenTelemetry's
 * `http.server.request.duration` with its bucket bounds. Recording allocates only for the first request of a combination.
 */
import type { EndedExchange } from '../exchange/contracts.ts';
import { Outcome } from '../exchange/outcomes.ts';
import type { Exposition } from './exposition.ts';
import { recordTransport, TransportTimes } from './transport-times.ts';

/** OpenTelemetry's semantic conventions for HTTP metrics. */
const BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const VERSIONS = ['1.0', '1.1', '2'] as const;
/** RFC 9110 section 9 and RFC 5789. Clients can invent any number of others, which count as `_OTHER`. */
const METHODS = ['_OTHER', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];
/** By the first digit; `none` if the exchange ended without a head. */
const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];

const methodIndex = new Map(METHODS.map((method, index) => [method, index]));

interface Place {
  readonly route: string;
  readonly pool: string;
}

export class RequestDurations {
  readonly #now: () => number;
  readonly #routes = new Map<string, RouteDurations>();
  readonly transport = new TransportTimes();

  /** @param now monotonic milliseconds of the clock that sets `admittedAtMs` */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Drops the counts of all other places. */
  keepOnly(places: readonly Place[]): void {
    const keys = new Set(places.map(keyOf));
    for (const key of this.#routes.keys()) if (!keys.has(key)) this.#routes.delete(key);
    this.transport.keepOnly(new Set(places.map(({ pool }) => pool)));
  }

  /** @returns the function to call at the end of each exchange of the route */
  of(place: Place): (exchange: EndedExchange, outcome?: Outcome) => void {
    const key = keyOf(place);
    const durations = this.#routes.get(key) ?? new RouteDurations(place);
    this.#routes.set(key, durations);
    const transport = this.transport.of(place.pool);
    return (exchange, outcome = Outcome.Complete) => {
      const nowMs = this.#now();
      durations.record(exchange, nowMs);
      recordTransport(transport, outcome, exchange.releasedAtMs, nowMs);
    };
  }

  expose(exposition: Exposition): void {
    exposition.metric(
      'http_server_request_duration_seconds',
      'histogram',
      'Time from the admission of a request to the end of its exchange.',
    );
    for (const durations of this.#routes.values()) durations.expose(exposition);
  }
}

function keyOf({ route, pool }: Place): string {
  return JSON.stringify([route, pool]);
}

class RouteDurations {
  readonly #place: Place;
  /** Indexed by combination; undefined until the first request of one. */
  readonly #kinds: (Durations | undefined)[] = [];
  /** The entry of the last request, and what selected it. */
  #last: Durations | null = null;
  #version = '';
  #method = '';
  #status = 0;

  constructor(place: Place) {
    this.#place = place;
    // Filled, because V8 makes slower code for an array with holes.
    for (let i = 0; i < VERSIONS.length * METHODS.length * CLASSES.length; i++) this.#kinds.push(undefined);
  }

  record({ version, method, status, admittedAtMs }: EndedExchange, nowMs: number): void {
    // Most requests of a route select the same entry as the one before.
    if (status !== this.#status || method !== this.#method || version !== this.#version) {
      this.#last = this.#of(version, method, status);
      this.#version = version;
      this.#method = method;
      this.#status = status;
    }
    (this.#last as Durations).record(admittedAtMs === 0 ? 0 : (nowMs - admittedAtMs) / 1000);
  }

  #of(version: string, method: string, status: number): Durations {
    const versionIndex = version === '2' ? 2 : version === '1.1' ? 1 : 0;
    const digit = Math.trunc(status / 100);
    const kind = (versionIndex * METHODS.length + (methodIndex.get(method) ?? 0)) * CLASSES.length + digit;
    return (this.#kinds[kind] ??= new Durations());
  }

  expose(exposition: Exposition): void {
    const { route, pool } = this.#place;
    for (const [kind, durations] of this.#kinds.entries()) {
      if (durations === undefined) continue;
      const rest = Math.trunc(kind / CLASSES.length);
      exposition.histogram(durations.value(), {
        pool,
        http_route: route,
        network_protocol_version: VERSIONS[Math.trunc(rest / METHODS.length)] as string,
        http_request_method: METHODS[rest % METHODS.length] as string,
        http_response_status_class: CLASSES[kind % CLASSES.length] as string,
      });
    }
  }
}

class Durations {
  readonly #counts = new Float64Array(BOUNDS_SECONDS.length);
  #count = 0;
  #sumSeconds = 0;

  record(seconds: number): void {
    this.#count++;
    this.#sumSeconds += seconds;
    for (let i = 0; i < BOUNDS_SECONDS.length; i++) {
      if (seconds > (BOUNDS_SECONDS[i] as number)) continue;
      (this.#counts[i] as number)++;
      return;
    }
  }

  value() {
    let most = 0;
    const buckets = BOUNDS_SECONDS.map((bound, index) => {
      most += this.#counts[index] as number;
      return [bound, most] as const;
    });
    return { buckets, count: this.#count, sumSeconds: this.#sumSeconds };
  }
}
