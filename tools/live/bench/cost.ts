import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startBroker } from "broker";
import { progress, readCommandLine, whole } from "cli";
import { Feed } from "../src/feed/feed.ts";
import { Rush } from "../src/feed/rush.ts";
import { TerminalWires } from "../src/session/wires.ts";

const options = readCommandLine(
  process.argv.slice(2),
  {
    name: "pnpm --filter live bench",
    about: `Measures what the page's feed costs: a client publishes with confirms and consumes with acknowledgements, directly,
through a wire that reads along, and with the whole feed (wire and firehose). Prints messages a second, end to end,
and their ratio to the direct connection: the median of all rounds, which take turns.`,
    options: {
      count: whole("Messages in each round, by default 20000 of 100 bytes", { from: 1 }),
      rounds: whole("By default 3", { from: 1 }),
    },
  },
  ({ count = 20_000, rounds = 3 }) => ({ count, rounds }),
);
if (typeof options === "number") process.exitCode = options;
else await main(options.count, options.rounds);

async function main(count: number, rounds: number): Promise<void> {
  const { say, end } = progress();
  const broker = await startBroker({ say });
  const { amqpUrl, name, delete: remove } = await broker.createVirtualHost();
  try {
    const withFeed = async () => {
      const feed = new Feed({ management: broker.management, vhost: name, amqpUrl }, (happening) =>
        rush.hear(happening),
      );
      const rush = new Rush(
        () => {},
        () => feed.contents(),
      );
      const wires = new TerminalWires("bench", {
        connected: (terminal, connection, given) => feed.connected(terminal, connection, given),
        disconnected: (connection) => feed.disconnected(connection),
        passed: (connection, passing) => feed.passed(connection, passing),
        foreign() {},
        held() {},
      });
      await feed.open();
      try {
        return await run(await wires.lay(amqpUrl), count);
      } finally {
        await wires.close();
        rush.end();
        await feed.close();
      }
    };
    const ways = {
      direct: () => run(amqpUrl, count),
      wire: () => throughWire(amqpUrl, count),
      feed: withFeed,
    };
    const rates: Record<keyof typeof ways, number[]> = { direct: [], wire: [], feed: [] };
    for (let round = 1; round <= rounds; round++)
      for (const way of ["direct", "wire", "feed"] as const) {
        say(`Round ${round} of ${rounds}, ${way} …`);
        rates[way].push(await ways[way]());
      }
    end();
    const direct = median(rates.direct);
    for (const way of ["direct", "wire", "feed"] as const) {
      const rate = median(rates[way]);
      console.log(`${way.padEnd(7)}${String(rate).padStart(7)} messages/s  ${(rate / direct).toFixed(2)}`);
    }
  } finally {
    end();
    await remove();
    await broker.stop();
  }
}

async function throughWire(amqpUrl: string, count: number): Promise<number> {
  const wires = new TerminalWires("bench", {
    connected() {},
    disconnected() {},
    passed() {},
    foreign() {},
    held() {},
  });
  try {
    return await run(await wires.lay(amqpUrl), count);
  } finally {
    await wires.close();
  }
}

/** @returns Messages a second. */
async function run(amqpUrl: string, count: number): Promise<number> {
  const client = fileURLToPath(new URL("client.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", client, String(count)], {
    env: { ...process.env, AMQP_URL: amqpUrl },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`The client ended with exit code ${code}.`);
  return Number(printed);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
