import type { Channel, ConsumeMessage } from "amqplib";
import { type Consumer, handle, type Log, openConsumer, openPublisher, text } from "shared";
import { declareInbox, isName, queueOf } from "./topology.ts";

/** In messages: a message that comes again is recognized if no more than these came between. */
const remembered = 1000;

/**
 * Shows the messages to one person, and acknowledges each when it is shown.
 *
 * @param name Whose messages.
 * @param show Shows one as a line. Resolves when it is shown.
 * @param log Where to report what happens to the connection.
 * @returns The consumer at once, before it is connected.
 */
export function openInbox(name: string, show: (line: string) => Promise<void>, log: Log): Consumer {
  const seen = new Set<string>();
  let subscribed = false;
  return openConsumer(
    async (channel) => {
      const { consumerCount } = await declareInbox(channel, name);
      // After a lost connection, the count may include this program's own consumer.
      if (consumerCount > 0 && !subscribed)
        log.warn(`${name} is reading elsewhere. Messages come here once that program has ended.`);
      await channel.prefetch(100);
      const receive = handle(async (delivery) => {
        const { messageId } = delivery.properties;
        // The broker delivers again what was not acknowledged, and a writer sends again what was not confirmed.
        const again = seen.has(messageId);
        if (messageId !== undefined) seen.add(messageId);
        for (const oldest of seen) if (seen.size > remembered) seen.delete(oldest);
        if (!again) await show(read(delivery));
        // Only now. Until it is shown, the broker keeps the message for the next time.
        channel.ack(delivery);
      });
      await channel.consume(queueOf(name), receive);
      subscribed = true;
    },
    { log },
  );
}

/** Any program may have published it, under any name. */
const read = ({ properties: { headers }, content }: ConsumeMessage) =>
  `${isName(headers?.from) ? headers.from : "(somebody)"}: ${text(content)}`;

/**
 * Sends messages to one person. What is refused, or unconfirmed when the connection is lost, is sent again with the same
 * message id.
 *
 * @param from The name of the writer. It goes along in the header `from`.
 * @param to The name of the reader.
 * @param log Where to report what happens to the connection.
 * @returns The publisher, and `send`, which resolves when the broker has stored the message.
 */
export function openOutbox(from: string, to: string, log: Log) {
  const declare = (channel: Channel) => declareInbox(channel, to);
  const publisher = openPublisher({ declare, onRefusal: "retry", log });
  // mandatory: when the queue was deleted, the broker returns the message, and the publisher declares the queue again.
  const options = { headers: { from }, contentType: "text/plain", mandatory: true };
  const send = (body: string) => publisher.publish("", queueOf(to), Buffer.from(body), options);
  return { publisher, send };
}
