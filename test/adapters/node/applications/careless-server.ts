import { createServer } from 'node:http';
import { careless } from './careless.ts';

export default createServer(careless);
