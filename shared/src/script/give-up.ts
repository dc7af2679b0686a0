import { BrokerError } from "../amqp/index.ts";
import { startBroker } from "./repository.ts";

/**
 * Ends a script that the broker has let down: what is wrong and how to fix it on stderr, exit code 1.
 *
 * @param error What was thrown.
 * @throws The error itself, if it does not come from the broker.
 */
export function giveUp(error: unknown): never {
  if (!(error instanceof BrokerError)) throw error;
  console.error(error.message);
  if (error.message.startsWith("No RabbitMQ at ")) console.error(startBroker);
  process.exit(1);
}
