import amqp from "amqplib";
import type { ByHand } from "../protocol.ts";
import { Refused } from "../refused.ts";

/**
 * Publishes a message by hand, and waits for its confirm.
 *
 * @param amqpUrl Where.
 * @param message The message.
 * @throws {Refused} When the broker refuses it: there is no such exchange, or a queue is full.
 */
export async function publishByHand(amqpUrl: string, message: ByHand): Promise<void> {
  const { exchange, key, headers, body, mandatory, properties } = message;
  const clientProperties = { connection_name: "pnpm live, by hand" };
  const connection = await amqp.connect(amqpUrl, { noDelay: true, clientProperties });
  // What goes wrong is told by the publish below.
  connection.on("error", () => {});
  try {
    const channel = await connection.createConfirmChannel();
    await new Promise<void>((resolve, reject) => {
      channel.on("error", reject).on("close", () => reject(new Error("The channel was closed.")));
      channel.publish(exchange, key, Buffer.from(body), { ...properties, headers, mandatory }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  } catch (error) {
    throw new Refused(409, `The broker refused it: ${(error as Error).message}`);
  } finally {
    await connection.close().catch(() => {});
  }
}
