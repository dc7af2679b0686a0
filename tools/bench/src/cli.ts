import { parseArgs } from "node:util";
import { benchmarkHelper } from "./helper.ts";

const usage = `Measures what this project claims, on a RabbitMQ of its own or the one at AMQP_URL.

Usage:   pnpm bench <benchmark> [--quick]
Example: pnpm bench helper

  helper   shared against bare amqplib, an rpc against the official server, the start of a script

  --quick  few and short rounds: does it run?
  --help   says this`;

const benchmarks: Record<string, (options: { quick: boolean }) => Promise<void>> = {
  helper: benchmarkHelper,
};

function refuse(reason: string): never {
  console.error(`${reason}\n\n${usage}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const { values, positionals } = readArguments();
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const [name = "", ...more] = positionals;
const benchmark = benchmarks[name];
if (!benchmark || more.length > 0) refuse("Which benchmark?");
await benchmark({ quick: values.quick });
