/**
 * Baseline: a program that listens by itself, in a cluster, as pm2 or a file of one's own runs it.
 * Usage: module-cluster.ts MODULE PROCESSES
 */
import cluster from 'node:cluster';

const [module, processes] = process.argv.slice(2);

cluster.setupPrimary({ exec: module as string, args: [] });
// A benchmark must not go on with fewer workers than it reports.
cluster.on('exit', () => process.exit(1));
for (let started = 0; started < Number(processes); started++) cluster.fork();
