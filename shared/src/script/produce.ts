import type { ConfirmChannel } from "amqplib";
import { explain } from "../amqp/broker-error.ts";
import { closed, deadlineIn } from "../amqp/closing.ts";
import { Link } from "../amqp/connect.ts";
import { BrokerError, type ConnectOptions, text } from "../amqp/index.ts";
import { giveUp } from "./give-up.ts";
import { log } from "./log.ts";

/**
 * What a publishing script does: connects, publishes, waits until the broker has confirmed every message, and closes the
 * channel before the connection. (Closing the connection straight away would throw away what is still in the socket's
 * buffer: of 20,000 messages, amqplib 2.3.1 delivered none.)
 *
 * When the broker can't be reached, refuses the login, refuses a message (nack) or goes away before the last confirm,
 * stderr explains it in one or two lines and the process exits with code 1. A service uses `openPublisher` instead,
 * which publishes again what was unconfirmed.
 *
 * @param work Declares and publishes on a channel in confirm mode.
 * @param options Where to connect, if not to AMQP_URL, and under which name.
 * @returns What `work` returned.
 * @throws What `work` threw, unless it came from the broker.
 */
export async function produce<Result>(
  work: (channel: ConfirmChannel) => Promise<Result> | Result,
  options: ConnectOptions = {},
): Promise<Result> {
  const link = new Link({ log, ...options }, { reconnect: false });
  try {
    await link.ready;
    const channel = await link.createConfirmChannel();
    const failed = new Promise<never>((_, reject) => {
      channel.once("error", reject);
      void link.ended.then((error) => reject(lost(link.shown, error)));
    });
    const result = await Promise.race([confirmed(channel, work), failed]);
    await closed(channel, deadlineIn(CLOSING));
    await link.close({ deadline: CLOSING });
    return result;
  } catch (error) {
    giveUp(explain(error, link.shown) ?? error);
  }
}

/** ms; how long to wait for the broker's answer once it has confirmed everything. */
const CLOSING = 2_000;

async function confirmed<Result>(
  channel: ConfirmChannel,
  work: (channel: ConfirmChannel) => Promise<Result> | Result,
) {
  // `waitForConfirms` knows only of the messages that are unconfirmed when it is called.
  let refused = false;
  channel.on("nack", () => {
    refused = true;
  });
  const result = await work(channel);
  await channel.waitForConfirms();
  if (refused) throw new Error("message nacked");
  return result;
}

const lost = (broker: string, error: Error) =>
  new BrokerError(
    `The connection to ${broker} was lost (${text((error.cause as Error | undefined)?.message ?? error.message)}).\nWhat it had not confirmed may or may not have arrived.`,
  );
