import type { ChannelModel, ConfirmChannel, Message } from "amqplib";
import { text } from "shared";

/**
 * Opens a channel for `move`. Should the broker close it, stderr says why, and the connection goes, too, so that its
 * consumer starts again: it could move nothing any more.
 */
export async function openForMoves(connection: ChannelModel): Promise<ConfirmChannel> {
  const channel = await connection.createConfirmChannel();
  channel.once("error", (error: Error) => console.error(` [!] ${text(error.message)}.`));
  channel.once("close", () => void connection.close().catch(() => {}));
  return channel;
}

/**
 * Publishes a job once more, to another queue, and returns when the broker has confirmed it. Acknowledge it only then.
 *
 * @param channel That nobody else publishes on.
 * @param job As it was delivered. Its id stays the same, by which a job that comes twice can be told.
 * @param to The queue, which must exist.
 * @param notes Headers that say what has become of it. They replace those of earlier attempts.
 * @returns Whether it could be written: amqplib 2.3.1 can't write all that it reads. If not, reject the job, and the
 *   broker moves it as it is.
 * @throws {Error} When the broker refuses it, or has no such queue.
 */
export async function move(
  channel: ConfirmChannel,
  { content, properties }: Message,
  to: string,
  notes: Notes = {},
): Promise<boolean> {
  // Its TTL would shorten the wait, and the broker refuses a user id that isn't ours.
  const { headers, expiration: _, userId: __, ...others } = properties;
  const kept = Object.entries(headers ?? {}).filter(([name]) => !dropped.test(name));
  const options = { ...others, headers: { ...Object.fromEntries(kept), ...notes } };
  let returned = false;
  const onReturn = () => {
    returned = true;
  };
  channel.once("return", onReturn);
  try {
    // Without `mandatory`, the broker would drop what is for a queue that somebody has deleted, and confirm it.
    channel.sendToQueue(to, content, { ...options, persistent: true, mandatory: true });
    await channel.waitForConfirms();
  } catch (error) {
    // A text that isn't UTF-8 may grow too long while it is read and written.
    if (error instanceof TypeError || error instanceof RangeError) return false;
    throw error;
  } finally {
    channel.off("return", onReturn);
  }
  if (returned) throw new Error(`There is no queue ${to}.`);
  return true;
}

/** What we note in a job's headers. */
export interface Notes {
  /** How often it was tried, to the end. */
  attempts?: number;
  /** Why the last attempt failed. */
  failure?: string;
}

/**
 * Our own notes of earlier, and what the broker wrote. RabbitMQ 3 goes on with an `x-death` that is published, and
 * drops the message when it looks as if it went in circles by itself (rabbit_dead_letter.erl, detect_cycles), as ours
 * do. `CC` and `BCC` would route copies.
 */
const dropped = /^(attempts|failure|x-death|x-(first|last)-death-.*|x-(delivery|acquired)-count|B?CC)$/;
