// Starts a Kafka of its own, prints its port, and waits.
import { NoKafkaError, startKafka } from "../../src/index.ts";

try {
  const { brokers } = await startKafka({ say: console.error });
  console.log(brokers[0]?.split(":")[1]);
  setInterval(() => {}, 1000);
} catch (error) {
  if (!(error instanceof NoKafkaError)) throw error;
  console.error(error.message);
  process.exit(3);
}
