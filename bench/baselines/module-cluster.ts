/**
 * Baseline: a program that listens by itself, run in a cluster, as by pm2 or a small script. Usage:
 * module-cluster.ts MODULE PROCESSES
 */
import cluster from 'node:cluster';

const [module, processes] = process.argv.slice(2);

cluster.setupPrimary({ exec: module as string, args: [] });
// A benchmark must not continue with fewer workers than it reports.
cluster.on('exit', () => process.exit(1));
for (let started = 0; started < Number(processes); started++) cluster.fork();
