import { type ConsumerOptions, type ConsumerSetup, openConsumer } from "../amqp/index.ts";
import { giveUp } from "./give-up.ts";
import { log } from "./log.ts";
import { firstSignal } from "./signal.ts";

/**
 * What a consuming script does: connects, declares, subscribes, and goes on until Ctrl-C.
 *
 * - `setup` runs again after each reconnection: see `openConsumer`. What happens to the connection is told on stderr.
 * - SIGINT (Ctrl-C) and SIGTERM end the flow of deliveries, wait up to 5 s for the handlers in hand, and close. A second
 *   signal ends the process at once, with exit code 130 or 143. What was in hand goes back to the queue.
 * - When the broker refuses something (the login, a declaration, a permission), stderr names it, and the process exits
 *   with code 1.
 *
 * @param setup Declares the topology and calls `channel.consume` with handlers from `handle`.
 * @param options Where to connect, if not to AMQP_URL, and how to stop.
 * @returns When a signal has ended it and everything is closed, so that the process can end with exit code 0.
 * @throws What `setup` threw the first time, unless it came from the broker.
 */
export async function consume(setup: ConsumerSetup, options: ConsumerOptions = {}): Promise<void> {
  const signalled = firstSignal();
  const consumer = openConsumer(setup, { log, ...options });
  try {
    await Promise.race([signalled, Promise.all([consumer.ready, consumer.refused])]);
    if (consumer.inHand() > 0) log.info("Finishing what is in hand. To drop it press CTRL+C again");
    await consumer.stop();
    await consumer.close();
  } catch (error) {
    giveUp(error);
  }
}
