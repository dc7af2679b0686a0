import type { ConfirmChannel } from "amqplib";
import { BrokerError, giveUp } from "./broker-error.ts";
import { type ConnectOptions, closed, open } from "./connect.ts";

/**
 * What a publishing script does: connects, publishes, waits until the broker has confirmed every message, and
 * closes the channel before the connection. (Closing the connection straight away would throw away what is still
 * in the socket's buffer: of 20,000 messages, amqplib 2.3.1 delivered none.)
 *
 * When the broker can't be reached, turns the login down, refuses a message (nack) or goes away before the last
 * confirm, stderr says so in one or two lines and the process exits with code 1. After a lost connection nobody
 * knows whether the unconfirmed messages arrived: publish them again where a duplicate does no harm.
 *
 * @param work Declares and publishes on a channel in confirm mode.
 * @param options Where to, if not where AMQP_URL says, and under which name.
 * @returns What `work` returned.
 * @throws What `work` threw, unless it came from the broker.
 */
export async function produce<Result>(
  work: (channel: ConfirmChannel) => Promise<Result> | Result,
  options: Omit<ConnectOptions, "setup"> = {},
): Promise<Result> {
  let broker = "RabbitMQ";
  try {
    const { connection, ready, shown, close } = await open(options, 0);
    broker = shown;
    await ready;
    const channel = await connection.createConfirmChannel();
    const failed = new Promise<never>((_, reject) => {
      channel.once("error", reject);
      connection.once("disconnect", (error) => reject(new BrokerError(lost(broker, error))));
    });
    const result = await Promise.race([confirmed(channel, work), failed]);
    await closed(channel);
    await close();
    return result;
  } catch (error) {
    giveUp(error, broker);
  }
}

async function confirmed<Result>(
  channel: ConfirmChannel,
  work: (channel: ConfirmChannel) => Promise<Result> | Result,
) {
  const result = await work(channel);
  await channel.waitForConfirms();
  return result;
}

const lost = (broker: string, { message }: Error) =>
  `The connection to ${broker} was lost (${message}).\nWhat it had not confirmed may or may not have arrived.`;
