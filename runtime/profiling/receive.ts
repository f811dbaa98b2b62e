/**
 * The command's end of a profile: requests it over the control socket, and reads its frames from the socket
 * named in the reply.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ControlClient } from '../control/client.ts';
import { FrameReader } from './frames.ts';
import type { Frame, ProfileRequest } from './messages.ts';

export interface ProfileStream {
  /** Resolves when the server has sent everything, or has gone. Rejects with what `onFrame` throws. */
  readonly done: Promise<void>;
  /** Asks the server to send what it has by now and end the profile. */
  endEarly(): void;
  /** Cancels the profile, which is no longer needed. */
  cancel(): void;
}

/**
 * @throws ControlRefusal if the server refuses
 * @throws ControlSocketError if the server goes away
 */
export async function startProfile(
  client: ControlClient,
  request: ProfileRequest,
  onFrame: (head: Frame, bytes: Buffer) => void,
): Promise<ProfileStream> {
  const answer = await client.ask('POST', '/profiles', { body: request });
  const socket = connect((answer as { readonly socket: string }).socket);
  await once(socket, 'connect');
  return {
    done: receive(socket, onFrame),
    endEarly: () => socket.write('end\n'),
    cancel: () => socket.destroy(),
  };
}

function receive(socket: Socket, onFrame: (head: Frame, bytes: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(onFrame);
    socket.on('data', (piece: Buffer) => {
      try {
        reader.push(piece);
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    });
    // A server that is killed resets the socket; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}
