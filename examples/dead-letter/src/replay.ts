import type { ConfirmChannel, Message } from "amqplib";
import { text } from "shared";
import { diedIn, headersForReplay } from "./story.ts";
import { declareOrders, morgue, queue } from "./topology.ts";

/** Sends back what is in the morgue now, once: what dies again meanwhile is not sent round and round. */
export async function replay(channel: ConfirmChannel): Promise<void> {
  await declareOrders(channel);
  const { messageCount, consumerCount } = await channel.checkQueue(morgue);
  if (consumerCount > 0) {
    console.error(
      " [!] Somebody is looking at the morgue, and holds what is in it. Close that program first.",
    );
    process.exitCode = 1;
    return;
  }
  let sentBack = 0;
  for (let turn = 0; turn < messageCount; turn++) {
    const letter = await channel.get(morgue);
    if (!letter) break;
    const obstacle = await sendBack(channel, letter);
    if (obstacle) {
      // Unacknowledged, it goes back to its place when we have gone.
      console.log(` [!] Kept ${text(letter.content)}: ${obstacle}`);
      continue;
    }
    // Only now that the broker has confirmed the other one. Should we die before, there are two, never none.
    channel.ack(letter);
    console.log(` [x] Sent back ${text(letter.content)}`);
    sentBack++;
  }
  console.log(` [x] ${sentBack} of ${messageCount} sent back`);
}

/**
 * Publishes a dead letter to the queue that it died in, and waits for the confirm.
 *
 * Straight to that queue, not to the exchange it once came by: other queues have had their copy. And to no other queue
 * than ours, whatever the letter says: it may be forged.
 *
 * @returns What is in the way, or `undefined` when the broker has it.
 * @throws {Error} When the broker refuses it.
 */
export async function sendBack(channel: ConfirmChannel, letter: Message): Promise<string | undefined> {
  // The broker refuses a user id that isn't ours.
  const { headers, userId: _, ...properties } = letter.properties;
  if (diedIn(headers) !== queue) return `it did not die in ${queue}`;
  let obstacle: string | undefined;
  const onReturn = () => {
    obstacle = `there is no queue ${queue}`;
  };
  channel.once("return", onReturn);
  try {
    const options = { ...properties, headers: headersForReplay(headers), mandatory: true };
    channel.sendToQueue(queue, letter.content, options);
    await channel.waitForConfirms();
  } catch (error) {
    // A text that isn't UTF-8 may grow too long while amqplib 2.3.1 reads and writes it.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    obstacle = "its properties can't be written as they were";
  } finally {
    channel.off("return", onReturn);
  }
  return obstacle;
}
