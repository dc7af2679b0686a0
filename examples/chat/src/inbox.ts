import type { ChannelModel, ConsumeMessage } from "amqplib";
import { type Consumption, openConsumer, text } from "shared";
import { declareInbox, isName, queueOf } from "./topology.ts";

/** How many messages back a repeated one is known. */
const remembered = 1000;

/**
 * Shows the messages to one person, and acknowledges each when it is shown.
 *
 * @param name Whose messages.
 * @param show Shows one as a line. Resolves when it is shown.
 * @param onConnection Runs on each new connection, before messages come in.
 * @returns The consumer at once, before it is connected.
 * @throws {BrokerError} When AMQP_URL is not a URL of a broker.
 */
export function openInbox(
  name: string,
  show: (line: string) => Promise<void>,
  onConnection: (connection: ChannelModel) => Promise<void>,
): Promise<Consumption> {
  const seen = new Set<string>();

  return openConsumer(async (channel, connection) => {
    const { consumerCount } = await declareInbox(channel, name);
    if (consumerCount > 0)
      console.error(` [!] ${name} is reading elsewhere. Messages come here once that program has ended.`);
    await onConnection(connection);
    await channel.prefetch(100);
    await channel.consume(queueOf(name), async (delivery) => {
      const { messageId } = delivery.properties;
      // The broker delivers again what was not acknowledged, and a writer sends again what was not confirmed.
      const again = seen.has(messageId);
      if (messageId !== undefined) seen.add(messageId);
      for (const oldest of seen) if (seen.size > remembered) seen.delete(oldest);
      if (!again) await show(read(delivery));
      // Only now. Until it is shown, the broker keeps the message for the next time.
      channel.ack(delivery);
    });
  });
}

/** Anybody may have published it, under whatever name. */
const read = ({ properties: { headers }, content }: ConsumeMessage) =>
  `${isName(headers?.from) ? headers.from : "(somebody)"}: ${text(content)}`;
