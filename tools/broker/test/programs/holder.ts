// Starts a broker and holds it, for a test to kill this process.
import { startBroker } from "../../src/index.ts";

const [kind, port] = process.argv.slice(2);
const broker = await startBroker({ kind: kind as "native" | "docker", private: true, port: Number(port) });
console.log(broker.amqpUrl);
