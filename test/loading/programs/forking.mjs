import { fork } from 'node:cluster';

fork();
