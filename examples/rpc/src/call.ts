import { randomUUID } from "node:crypto";
import type { Channel, ConsumeMessage } from "amqplib";

/** A call that a server refused, that no server answered in time, or that found no queue. */
export class CallError extends Error {
  override readonly name = "CallError";
}

/** Not a queue, but a name by which the broker knows the channel: https://www.rabbitmq.com/docs/direct-reply-to */
const replyTo = "amq.rabbitmq.reply-to";

/**
 * Prepares a channel for calls.
 *
 * @param channel Requests must be published on the channel that consumes the answers. No other code may consume
 *   `amq.rabbitmq.reply-to` on it.
 * @param queue Where the servers take their requests from. They declare it.
 * @param options `deadline`: how long a call waits for its answer, in ms. If no server has taken the request by
 *   then, the broker drops it, so that no server works for a client that has left.
 * @returns A function that sends a request with the given body and resolves with the body of the answer. Any number of
 *   calls may wait at once. It rejects with a CallError when the server answers with an error (its message is the
 *   server's), when the queue doesn't exist or when the deadline comes, and with another Error when the channel closes.
 */
export async function openCall(channel: Channel, queue: string, { deadline }: { deadline: number }) {
  const waiting = new Map<string, (answer: ConsumeMessage | Error) => void>();

  const onAnswer = (answer: ConsumeMessage | null) => {
    // An unknown correlation id is no error: the answer came too late, or twice.
    if (answer) waiting.get(answer.properties.correlationId)?.(answer);
  };
  await channel.consume(replyTo, onAnswer, { noAck: true });
  const noQueue = new CallError(`There is no queue ${queue}. Start a server first.`);
  channel.on("return", ({ properties }) => waiting.get(properties.correlationId)?.(noQueue));
  channel.once("close", () => {
    for (const settle of waiting.values()) settle(new Error("Channel closed before the answer came"));
  });

  return (body: string) =>
    new Promise<string>((resolve, reject) => {
      const id = randomUUID();
      channel.sendToQueue(queue, Buffer.from(body), {
        // AMQP 1.0 servers answer to the message id, all others to the correlation id.
        messageId: id,
        correlationId: id,
        replyTo,
        // Without the queue, the broker returns the request at once.
        mandatory: true,
        expiration: deadline,
        contentType: "text/plain",
      });

      const settle = (answer: ConsumeMessage | Error) => {
        clearTimeout(timer);
        waiting.delete(id);
        if (answer instanceof Error) reject(answer);
        else if (answer.properties.type === "error") reject(new CallError(answer.content.toString()));
        else resolve(answer.content.toString());
      };
      const late = new CallError(`No answer within ${deadline / 1000} s. Is a server running?`);
      const timer = setTimeout(settle, deadline, late);
      waiting.set(id, settle);
    });
}
