// Starts a Kafka of its own, prints its port, and waits.
import { startKafka } from "../../src/kafka.ts";

const { brokers } = await startKafka({ offline: true });
console.log(brokers[0]?.split(":")[1]);
setInterval(() => {}, 1000);
