import type { Channel } from "amqplib";
import { handle, text } from "../amqp/index.ts";
import { canDie, deathsOf, type Headers } from "./deaths.ts";

/** How many messages `look` shows. */
const MOST = 100;

/**
 * Shows what a dead letter queue holds and what comes in, up to 100 messages. It acknowledges nothing, so all of it is
 * back in the queue when the channel closes.
 *
 * @param channel Of a consumer that does nothing else.
 * @param queue A queue whose delivery limit, if it has one, is high: to a quorum queue each look is a failed delivery.
 * @param story Tells in words, from its headers, how a message came there.
 */
export async function look(channel: Channel, queue: string, story: (headers: Headers) => string) {
  let shown = 0;
  const show = handle(async ({ content, properties }) => {
    console.log(` [x] ${text(content)}: ${story(properties.headers)}`);
    if (++shown < MOST) return;
    const { messageCount } = await channel.checkQueue(queue);
    console.log(` [!] Shows ${MOST} messages at most. In ${queue} are ${messageCount} more.`);
  });
  await channel.prefetch(MOST);
  await channel.consume(queue, show);
}

/**
 * Sends back what is in a dead letter queue now, each message once. What dies again meanwhile stays there.
 *
 * The program rejects each message, and the broker moves it to where the queue's own dead letters go. Publishing it
 * again could not be exact, since amqplib reads a byte, an integer and a double as the same number. And nothing in the
 * message decides where it goes.
 *
 * @param channel Of a program that does nothing else.
 * @param queue The dead letter queue. Its arguments lead its own dead letters back to the queue that they came from.
 * @param from That queue. Messages that did not die there stay.
 * @param keep Tells, from its headers, why a message must stay. By default none must.
 */
export async function replay(
  channel: Channel,
  queue: string,
  from: string,
  keep?: (headers: Headers) => string | undefined,
): Promise<void> {
  const { messageCount, consumerCount } = await channel.checkQueue(queue);
  if (consumerCount > 0) {
    console.error(` [!] Another program is looking at ${queue} and holds what is in it. Close it first.`);
    process.exitCode = 1;
    return;
  }
  let sentBack = 0;
  for (let turn = 0; turn < messageCount; turn++) {
    const message = await channel.get(queue);
    if (!message) break;
    const { headers } = message.properties;
    const diedThere = deathsOf(headers).some((death) => death.queue === from);
    const obstacle = !diedThere
      ? `it did not die in ${from}`
      : canDie(headers)
        ? keep?.(headers)
        : "its x-death is malformed";
    if (obstacle) {
      // Unacknowledged, it is back in its place when the channel closes.
      console.log(` [!] Kept ${text(message.content)}: ${obstacle}`);
      continue;
    }
    channel.reject(message, false);
    // The broker's answer to this comes after it has dealt with the rejection.
    await channel.checkQueue(queue);
    console.log(` [x] Sent back ${text(message.content)}`);
    sentBack++;
  }
  console.log(` [x] ${sentBack} of ${messageCount} sent back`);
}
