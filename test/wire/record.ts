/** Handlers that record what they are given, as arrays in the shape of the message table. */

import type { ReactorHandler, ThreadHandler } from '../../wire/messages.ts';

export type Received = readonly unknown[];

const ignore = {
  onWake() {},
  onWritable() {},
  onCorrupt(error: Error) {
    throw error;
  },
};

const copy = (bytes: Uint8Array, start: number, end: number) =>
  Buffer.from(bytes.subarray(start, end)).toString();

/** A reactor's handler that appends every message to `into`. `own` replaces single methods. */
export function recordReactor(into: Received[], own: Partial<ReactorHandler> = {}): ReactorHandler {
  return {
    ...ignore,
    onHead: (slot, flags, status, fields, bytes, start, end) =>
      into.push(['head', slot, flags, status, fields, copy(bytes, start, end)]),
    onInform: (slot, status, fields) => into.push(['inform', slot, status, fields]),
    onData: (slot, flags, bytes, start, end) => into.push(['data', slot, flags, copy(bytes, start, end)]),
    onTrailers: (slot, flags, fields) => into.push(['trailers', slot, flags, fields]),
    onCredit: (slot, granted, consumed) => into.push(['credit', slot, granted, consumed]),
    onReset: (slot, flags, code, reason) => into.push(['reset', slot, flags, code, reason]),
    onClosed: (slot) => into.push(['closed', slot]),
    onPush: (slot, number, method, path, fields) => into.push(['push', slot, number, method, path, fields]),
    onPad: (slot, toMultipleOf) => into.push(['pad', slot, toMultipleOf]),
    ...own,
  };
}

/** As `recordReactor`, for a thread. */
export function recordThread(into: Received[], own: Partial<ThreadHandler> = {}): ThreadHandler {
  return {
    ...ignore,
    onOpen: (slot, generation, flags, receivedAtUs, path, head, id) => {
      const { method, scheme, authority, version, remoteAddress, remotePort, tls } = head;
      const fields = head.hasProtocol ? [':protocol', head.protocol, ...head.fields] : head.fields;
      const connection = [version, remoteAddress, remotePort, receivedAtUs] as const;
      into.push([
        'open',
        slot,
        generation,
        flags,
        method,
        scheme,
        authority,
        path,
        ...connection,
        fields,
        tls,
        ...(id === '' ? [] : [id]),
      ]);
    },
    onData: (slot, flags, bytes, start, end) => into.push(['data', slot, flags, copy(bytes, start, end)]),
    onTrailers: (slot, fields) => into.push(['trailers', slot, fields]),
    onCredit: (slot, bytes) => into.push(['credit', slot, bytes]),
    onReset: (slot, code, by) => into.push(['reset', slot, code, by]),
    onPromised: (slot, number, accepted, pushSlot) =>
      into.push(['promised', slot, number, accepted, pushSlot]),
    onTimes: (slot, generation, atUs, status) => into.push(['times', slot, generation, atUs, status]),
    ...own,
  };
}
