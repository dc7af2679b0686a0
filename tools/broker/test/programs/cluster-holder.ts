// Starts a cluster and holds it, for a test to kill this process.
import { startCluster } from "../../src/index.ts";

const [kind, port] = process.argv.slice(2);
const cluster = await startCluster({ kind: kind as "native" | "docker", ports: [Number(port)] });
console.log(cluster.amqpUrl);
