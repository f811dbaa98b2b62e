/** `pieces`, in a thread that never hears of room. */
import { deafen } from '../deafness.ts';
import pieces from './pieces.ts';

deafen();

export default pieces;
