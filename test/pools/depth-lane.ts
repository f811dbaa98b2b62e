import { Lane } from '../../runtime/pools/lane.ts';

/** Jobs of which a thread is given as many as it has slots, whatever they turn out to cost. */
export class DepthLane extends Lane {
  override costUs = 0;

  override record(): void {
    // It learns nothing.
  }
}
