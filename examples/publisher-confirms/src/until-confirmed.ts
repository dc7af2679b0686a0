import { setTimeout as pause } from "node:timers/promises";
import type { ConfirmChannel, RecoveringChannelModel } from "amqplib";
import { declareConfirms } from "./topology.ts";
import type { Unconfirmed } from "./unconfirmed.ts";

/** Publishes what is unconfirmed, and resolves when the broker has answered for all of it. */
export type Strategy = (channel: ConfirmChannel, unconfirmed: Unconfirmed) => Promise<void>;

/**
 * Publishes until everything is confirmed. What the broker refuses (nack), gives back (return), or has not confirmed
 * when its connection is lost is published again, and nothing else is.
 *
 * @param connection Mends itself. While the broker is away, this waits.
 * @param strategy How to publish.
 * @param unconfirmed What to publish. In the end it is empty.
 * @throws When the user may not declare or publish, or the queue exists with other arguments.
 */
export async function untilConfirmed(
  connection: RecoveringChannelModel,
  strategy: Strategy,
  unconfirmed: Unconfirmed,
): Promise<void> {
  // ms
  let delay = 250;
  while (true) {
    const before = unconfirmed.size;
    const trouble = await attempt(connection, strategy, unconfirmed);
    if (unconfirmed.size === 0) return;
    // A queue that is full now is still full in a moment.
    delay = unconfirmed.size < before ? 250 : Math.min(2 * delay, 8_000);
    console.error(
      ` [!] ${unconfirmed.size} unconfirmed (${trouble}). Publishing them again in ${delay} ms ...`,
    );
    await pause(delay);
  }
}

/** Publishes once, on a channel of its own: after losing a leader, RabbitMQ 3.10 may refuse all on an old one. */
async function attempt(connection: RecoveringChannelModel, strategy: Strategy, unconfirmed: Unconfirmed) {
  const returned: Unconfirmed = new Map();
  try {
    const channel = await connection.createConfirmChannel();
    const closed = new Promise<never>((_, reject) => {
      channel.once("error", reject).once("close", () => reject(new Error("Channel closed")));
    });
    // The broker gives a message back before it confirms it: the confirm only says that it has been dealt with.
    channel.on("return", ({ properties: { messageId } }) => {
      const message = unconfirmed.get(messageId);
      if (message) returned.set(messageId, message);
    });
    await Promise.race([closed, declareConfirms(channel).then(() => strategy(channel, unconfirmed))]);
    // Not awaited: if the connection were lost now, all would be confirmed nevertheless.
    channel.close().catch(() => {});
    return returned.size > 0 ? "returned: their queue is gone" : "refused: is the queue full?";
  } catch (error) {
    if (isFinal(error)) throw error;
    return "the connection was lost";
  } finally {
    for (const [id, message] of returned) unconfirmed.set(id, message);
  }
}

/** A fault of the program, or what the broker would refuse again (reply codes: AMQP 0-9-1, section 1.2). */
const isFinal = (error: unknown) =>
  error instanceof TypeError || [403, 405, 406].includes((error as { code?: number }).code ?? 0);
