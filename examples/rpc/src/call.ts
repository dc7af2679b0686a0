import { randomUUID } from "node:crypto";
import type { Channel, ConsumeMessage } from "amqplib";

/** A call that a server refused, that no server answered in time, or that found no queue. */
export class CallError extends Error {
  override readonly name = "CallError";
}

/**
 * Sends a request and waits for its answer. Any number of calls may wait at once: each gets its own answer.
 *
 * @param body The body of the request.
 * @returns The body of the answer.
 * @throws {CallError} When the server answers with an error (its message is the server's), when the queue doesn't exist,
 *   or when there is no answer before the deadline.
 * @throws {Error} When the channel closes before the answer comes.
 */
export type Call = (body: string) => Promise<string>;

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
 */
export async function openCall(
  channel: Channel,
  queue: string,
  { deadline }: { deadline: number },
): Promise<Call> {
  const waiting = new Map<string, (answer: ConsumeMessage | Error) => void>();

  const onAnswer = (answer: ConsumeMessage | null) => {
    // An unknown correlation id is no error: the answer came too late, or twice.
    if (answer) waiting.get(answer.properties.correlationId)?.(answer);
  };
  await channel.consume(replyTo, onAnswer, { noAck: true });
  channel.on("return", ({ properties }) =>
    waiting.get(properties.correlationId)?.(
      new CallError(`There is no queue ${queue}. Start a server first.`),
    ),
  );
  channel.once("close", () => {
    for (const settle of waiting.values()) settle(new Error("Channel closed before the answer came"));
  });

  return (body) =>
    new Promise((resolve, reject) => {
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
      const timer = setTimeout(
        () => settle(new CallError(`No answer within ${deadline / 1000} s. Is a server running?`)),
        deadline,
      );
      waiting.set(id, settle);
    });
}
