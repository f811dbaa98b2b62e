/**
 * How long requests took, from their admission to their end, by route, protocol version, method and class of status: OpenTelemetry's
 * `http.server.request.duration`, with its bounds. Recording allocates nothing but for the first of a kind.
 */
import type { EndedExchange } from '../exchange/contracts.ts';
import { Outcome } from '../exchange/outcomes.ts';
import type { Exposition } from './exposition.ts';
import { recordTransport, TransportTimes } from './transport-times.ts';

/** OpenTelemetry's semantic conventions for HTTP metrics. */
const BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const VERSIONS = ['1.0', '1.1', '2'] as const;
/** RFC 9110 section 9 and RFC 5789; a client can think of any number of others. */
const METHODS = ['_OTHER', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];
/** By the first digit; without a head there was none. */
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

  /** @param now monotonic milliseconds, as exchanges are admitted by */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Only these places are told of from now on; what has been counted of them stays. */
  keepOnly(places: readonly Place[]): void {
    const keys = new Set(places.map(keyOf));
    for (const key of this.#routes.keys()) if (!keys.has(key)) this.#routes.delete(key);
    this.transport.keepOnly(new Set(places.map(({ pool }) => pool)));
  }

  /** What hears of the ends of a route's exchanges. */
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
  /** Of each kind that has been seen. */
  readonly #kinds: (Durations | undefined)[] = [];

  constructor(place: Place) {
    this.#place = place;
    // No kind is a hole: the array stays one of objects.
    for (let i = 0; i < VERSIONS.length * METHODS.length * CLASSES.length; i++) this.#kinds.push(undefined);
  }

  record({ version, method, status, admittedAtMs }: EndedExchange, nowMs: number): void {
    const versionIndex = version === '2' ? 2 : version === '1.1' ? 1 : 0;
    const digit = Math.trunc(status / 100);
    const kind = (versionIndex * METHODS.length + (methodIndex.get(method) ?? 0)) * CLASSES.length + digit;
    let durations = this.#kinds[kind];
    if (durations === undefined) {
      durations = new Durations();
      this.#kinds[kind] = durations;
    }
    durations.record(admittedAtMs === 0 ? 0 : (nowMs - admittedAtMs) / 1000);
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
