import { startBroker } from "broker";

/**
 * Vitest runs this once before a package's tests: they use the broker at AMQP_URL, or one that is started for them.
 *
 * @returns What Vitest runs when they are done.
 */
export default async function setUp(): Promise<() => Promise<void>> {
  const broker = await startBroker({ say: (line) => console.log(line) });
  process.env.AMQP_URL = broker.amqpUrl;
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl;
  return () => broker.stop();
}
