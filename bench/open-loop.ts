/**
 * Load according to a plan: an open loop for latencies, and a closed one for the most that a server can do.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Arrival } from './arrivals.ts';
import { runProgram } from './processes.ts';

export interface PlannedRequest {
  readonly path: string;
  /** What the response must be. */
  readonly body: string;
}

interface AnyPlan {
  readonly origin: string;
  readonly connections: number;
  /** Indexed by kind. */
  readonly requests: readonly PlannedRequest[];
}

export interface OpenPlan extends AnyPlan {
  readonly loop: 'open';
  readonly arrivals: readonly Arrival[];
}

export interface ClosedPlan extends AnyPlan {
  readonly loop: 'closed';
  /** The kinds in the order of the requests, repeated. */
  readonly kinds: readonly number[];
  readonly inFlight: number;
  readonly seconds: number;
}

export type Plan = OpenPlan | ClosedPlan;

export interface OpenResult {
  /** From when each request was due until its response, in the order of the arrivals. */
  readonly latenciesMs: readonly number[];
  /** How much later than planned each request was sent. */
  readonly latenessMs: readonly number[];
}

export interface ClosedResult {
  readonly seconds: number;
  /** Responses by kind. */
  readonly answered: readonly number[];
}

/** Responses may arrive this long after the last request. */
const PATIENCE_MS = 120_000;
const client = fileURLToPath(new URL('./clients/open-loop.ts', import.meta.url));

let plans = 0;

export async function openLoop(directory: string, plan: OpenPlan): Promise<OpenResult> {
  const lastMs = plan.arrivals.at(-1)?.atMs ?? 0;
  return (await runPlan(directory, plan, lastMs)) as OpenResult;
}

export async function closedLoop(directory: string, plan: ClosedPlan): Promise<ClosedResult> {
  return (await runPlan(directory, plan, plan.seconds * 1_000)) as ClosedResult;
}

async function runPlan(directory: string, plan: Plan, planMs: number): Promise<unknown> {
  plans++;
  const [planFile, resultFile] = ['plan', 'result'].map((what) => join(directory, `${what}-${plans}.json`));
  writeFileSync(planFile, JSON.stringify(plan));
  await runProgram(
    `${plan.loop} loop`,
    process.execPath,
    [client, planFile, resultFile],
    planMs + PATIENCE_MS,
  );
  return JSON.parse(readFileSync(resultFile, 'utf8'));
}
