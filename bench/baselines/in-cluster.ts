/** A baseline's server in one process, or in a cluster, which spreads connections over its processes. */
import cluster from 'node:cluster';

/** @param listen creates the server and binds its port; called in each process that serves */
export async function inCluster(processes: number, listen: () => unknown): Promise<void> {
  if (processes === 1) {
    await listen();
  } else if (cluster.isPrimary) {
    let ready = 0;
    // All workers start to listen at once. Otherwise the first would get every connection of the warm-up, and
    // the others would be measured cold.
    cluster.on('message', () => {
      if (++ready < processes) return;
      for (const worker of Object.values(cluster.workers ?? {})) worker?.send('listen');
    });
    // A benchmark must not continue with fewer workers than it reports.
    cluster.on('exit', () => process.exit(1));
    for (let started = 0; started < processes; started++) cluster.fork();
  } else {
    process.once('message', () => void listen());
    process.send?.('ready');
  }
}
