/** The native application, wrapped twice: as a Node handler, and that as an application again. */
import { fromNode } from '../../../workers/adapters/node/from-node.ts';
import { toNode } from '../../../workers/adapters/node/to-node.ts';
import hello from '../hello.ts';

export default fromNode(toNode(hello));
