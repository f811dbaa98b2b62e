/** The piscina task of the baselines that give work to a pool: the same work as everywhere. */
import { work } from '../work.ts';

export default function task(iterations: number): string {
  return work(iterations);
}
