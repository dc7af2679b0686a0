import type { Socket } from "node:net";
import amqp, { type ChannelModel } from "amqplib";
import { startBroker } from "broker";
import { test as base } from "vitest";
import { openWire, type Said, type WireOptions } from "../src/index.ts";

/**
 * Vitest's `test` with a real RabbitMQ and wires to it. Its fixtures:
 *
 * - `virtualHost`: made for this test file.
 * - `connect(url)`: amqplib's connection, closed after the test.
 * - `channel`: one that uses no wire, to look at what the broker holds.
 * - `wireTo(url)`: a wire, closed after the test, and all that has been said on it.
 */
export const test = base
  .extend("broker", { scope: "file" }, () => startBroker())
  .extend("virtualHost", { scope: "file" }, async ({ broker }, { onCleanup }) => {
    const virtualHost = await broker.createVirtualHost();
    onCleanup(() => virtualHost.delete());
    return virtualHost;
  })
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the source which fixtures it needs.
  .extend("connect", async ({}, { onCleanup }) => {
    const connections: ChannelModel[] = [];
    // Its `close` never settles when the connection is lost already.
    onCleanup(() => connections.forEach(kill));
    return async (url: string) => {
      const connection = await amqp.connect(url, { noDelay: true });
      connections.push(connection);
      return connection.on("error", () => {});
    };
  })
  .extend("channel", async ({ virtualHost, connect }) => {
    const channel = await (await connect(virtualHost.amqpUrl)).createConfirmChannel();
    return channel.on("error", () => {});
  })
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the source which fixtures it needs.
  .extend("wireTo", async ({}, { onCleanup }) => {
    const closing: (() => Promise<void>)[] = [];
    onCleanup(async () => {
      await Promise.all(closing.map((close) => close()));
    });
    return async (url: string | string[], options?: WireOptions) => {
      const wire = await openWire(url, options);
      closing.push(() => wire.close());
      const said: Said[] = [];
      wire.on("said", (each) => said.push(each));
      return { wire, said };
    };
  });

/** Ends a client as a kill of its process would: it says no goodbye. */
export function kill(connection: ChannelModel): void {
  // Its types don't know the socket.
  (connection.connection as unknown as { stream: Socket }).stream.destroy();
}

/** Waits for the end of a connection, whether it is an error or not. */
export const lost = (connection: ChannelModel) =>
  new Promise<void>((resolve) => connection.once("close", () => resolve()));
