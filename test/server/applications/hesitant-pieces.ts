/** `pieces`, in a thread that hesitates before it wishes for room. */
import { hesitate } from '../hesitation.ts';
import pieces from './pieces.ts';

hesitate();

export default pieces;
