import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/**
 * Watches the sockets that this process opens to a port.
 *
 * @returns How many of them are not destroyed.
 */
export function socketsTo(port: number, atEnd: (stop: () => void) => void): () => number {
  const sockets = new Set<Socket>();
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.once("connect", () => {
      if (socket.remotePort === port) sockets.add(socket);
    });
  };
  subscribe("net.client.socket", onSocket);
  atEnd(() => unsubscribe("net.client.socket", onSocket));
  return () => [...sockets].filter((socket) => !socket.destroyed).length;
}
