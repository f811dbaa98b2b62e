/** Node handlers and applications, each made of the other. Published as `sluice/node`. */
export type { DowngradeOptions } from '../downgrade.ts';
export { type FromNodeOptions, fromNode, type NodeHandler } from './from-node.ts';
export { type FromServerOptions, fromServer } from './from-server.ts';
export { type NodeListener, nodeMiddleware, type ToNodeOptions, toNode } from './to-node.ts';
