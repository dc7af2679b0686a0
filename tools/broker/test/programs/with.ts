// Runs its arguments as a command with a broker.
import { withBroker } from "../../src/index.ts";

const [command, ...args] = process.argv.slice(2) as [string, ...string[]];
process.exitCode = await withBroker(command, args);
