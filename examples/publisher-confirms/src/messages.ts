import { randomUUID } from "node:crypto";
import type { ConsumeMessage, Options } from "amqplib";

/** A message that must not get lost, and how it is published. */
export interface Message {
  content: Buffer;
  options: Options.Publish;
}

/**
 * Makes the messages of one run.
 *
 * @param strategy The name of the strategy that publishes them.
 * @param count How many.
 * @returns The messages by their ids, in order.
 */
export function makeMessages(strategy: string, count: number): Map<string, Message> {
  const run = randomUUID();
  return new Map(
    Array.from({ length: count }, (_, index) => {
      // Published twice, it has the same id twice: whoever has seen it before may skip it.
      const messageId = `${run}/${index + 1}`;
      const content = Buffer.from(`Message ${index + 1} of ${count}`);
      // mandatory: what fits no queue comes back. Otherwise the broker would drop it, and confirm that.
      return [
        messageId,
        { content, options: { messageId, type: strategy, persistent: true, mandatory: true } },
      ];
    }),
  );
}

/** Which message of which run a delivery is, or `undefined` if it is none of ours. */
export function readMessage({ content, properties }: ConsumeMessage) {
  const [run, number] = String(properties.messageId).split("/");
  const [, count] = /^Message \d+ of (\d+)$/.exec(content.toString()) ?? [];
  return run && number && count
    ? { run, number, count: Number(count), strategy: String(properties.type) }
    : undefined;
}
