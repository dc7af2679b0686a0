import { fileURLToPath } from "node:url";
import type { Benchmark, Context } from "../engine/benchmark.ts";
import { amqplib } from "../engine/programs.ts";
import { withQueue } from "../engine/queue.ts";
import type { Result, Variant } from "../engine/results.ts";
import { type Measured, share } from "../engine/run.ts";
import { type Program, startWorker } from "../engine/worker.ts";
import { inFigures } from "../report/plot.ts";
import { figuresTable, inBrackets, type Report } from "../report/report.ts";
import { ratio, spread, where } from "../report/statistics.ts";

const size = 100;
const window = 200;
const rates = [1, 10, 30, 1_000, 10_000];
const costs = ["direct", "wire", "feed"] as const;

export const live: Benchmark = {
  name: "live",
  summary: "what `pnpm live` costs the programs that it shows, and how smoothly its page moves",
  report,
  prepare: async (context) => {
    const { missing, version } = await run(page(), context);
    const chosen = context.quick ? [10, 1_000] : rates;
    return {
      ways: [
        ...costs.map((way) => passing(context, way)),
        ...(version === undefined ? [] : chosen.map((rate) => watching(context, rate))),
      ],
      ...(version === undefined ? {} : { versions: { Chromium: String(version) } }),
      ...(missing === undefined ? {} : { missing: [`The page's frames: ${missing}`] }),
    };
  },
};

/** Its programs are part of the page's own package, and run as workers do. */
const program = (file: string, ...args: string[]): Program => ({
  file: process.execPath,
  args: ["--import", "tsx", fileURLToPath(new URL(`../../../live/bench/${file}`, import.meta.url)), ...args],
});
const page = (...args: number[]) => program("page.ts", ...args.map(String));

/** Runs one of them to its end. */
async function run(program: Program, { amqpUrl, managementUrl, signal }: Context) {
  const worker = startWorker(program, { amqpUrl, env: { RABBITMQ_MANAGEMENT_URL: managementUrl }, signal });
  try {
    await Promise.race([worker.ready, worker.done]);
    worker.go();
    return await worker.done;
  } finally {
    await worker.kill();
  }
}

/** A producer and a consumer, as they are or with what the page puts between them and their broker. */
function passing(context: Context, way: (typeof costs)[number]): Variant {
  const messages = context.quick ? 1_000 : 40_000;
  return {
    way,
    settings: { messages, size, window, prefetch: window, queue: "classic" },
    label: way === "direct" ? "direct" : `through the ${way}`,
    run: () =>
      withQueue(context.amqpUrl, "classic", (queue, channel) =>
        through(way, context, (amqpUrl) =>
          share(
            {
              producer: amqplib("producer", { queue, count: messages, size, persistent: true, window }),
              consumers: [amqplib("consumer", { queue, prefetch: window, ack: "each", count: messages })],
              messages,
              remaining: async () => (await channel.checkQueue(queue)).messageCount,
            },
            { amqpUrl, signal: context.signal },
          ),
        ),
      ),
  };
}

async function through(
  way: (typeof costs)[number],
  { amqpUrl, managementUrl, signal }: Context,
  work: (amqpUrl: string) => Promise<Measured>,
): Promise<Measured> {
  if (way === "direct") return work(amqpUrl);
  const env = { RABBITMQ_MANAGEMENT_URL: managementUrl };
  const laid = startWorker(program("lay.ts", way), { amqpUrl, env, signal });
  try {
    const measured = await work(String((await laid.ready).amqpUrl));
    // Else the broker would go on tracing.
    laid.go();
    await laid.done;
    return measured;
  } finally {
    await laid.kill();
  }
}

function watching(context: Context, rate: number): Variant {
  const seconds = context.quick ? 1 : 10;
  return {
    way: "page",
    settings: { rate, seconds },
    label: `the page at ${inFigures(rate)} messages a second`,
    run: async () => (await run(page(rate, seconds), context)) as Measured,
  };
}

function report(results: Result[]): Report {
  const of = (way: string) => where(results, way, {});
  const throughRatio = (way: string) => ratio(of(way), of("direct"), "throughput");
  const measured = rates.filter((rate) => where(results, "page", { rate }).length > 0);
  const at = (rate: number) => where(results, "page", { rate });
  const ms = (rate: number, figure: string) => spread(at(rate), figure)?.median.toFixed(1);
  return {
    title: "The live page",
    summary: [
      `Through the wire, which reads along, of a direct connection's messages a second: ${inBrackets(throughRatio("wire"))}`,
      `With the whole feed, for which the broker traces: ${inBrackets(throughRatio("feed"))}`,
      ...measured.map(
        (rate) =>
          `The page at ${inFigures(rate)}/s: a frame each ${ms(rate, "median")} ms, 99 of 100 within ${ms(rate, "most")} ms`,
      ),
    ],
    about: [
      "A producer publishes with confirms and a consumer acknowledges each message: directly, through the wire that `pnpm live` lays, and with its feed, which also follows what the broker's firehose traces. Throughput is from the first publish to the last acknowledgement. What the ways divided by the direct one give is what the page costs the programs that it shows.",
      "For the page's frames, a program publishes and consumes so many messages a second while Chromium shows the page, 1440 by 900 pixels, without a window. The times are those between the callbacks of requestAnimationFrame.",
    ],
    plots: [
      {
        name: "throughput",
        title: "What the page costs the programs that it shows",
        subtitle: "Medians, and the least and the greatest of the rounds",
        kind: "bars",
        categories: ["messages a second"],
        xLabel: "",
        yLabel: "messages a second",
        series: costs.map((way) => ({ name: way, points: [spread(of(way), "throughput")] })),
      },
    ],
    tables: [
      figuresTable(
        results.filter(({ way }) => way !== "page"),
        { throughput: "messages a second" },
        [],
      ),
      figuresTable(
        results.filter(({ way }) => way === "page"),
        {
          median: "ms between frames",
          most: "99 of 100 within, ms",
          longest: "longest, ms",
          messages: "messages a second",
        },
        ["rate"],
      ),
    ],
    guarantees: {
      caption: "What is between the programs and their broker",
      columns: ["way", "what there is", "what the page knows by it"],
      rows: [
        ["direct", "nothing", "nothing"],
        ["wire", "a process that decodes every frame and changes none", "what each program says and hears"],
        [
          "feed",
          "the same, and the broker publishes a trace of each message",
          "also where each message was put",
        ],
        ["page", "the feed, and the page in Chromium", "up to 30 messages a second each; above, rates"],
      ],
    },
    notes: [
      "A browser without a window paints by software, so frames take longer than on a screen with a graphics card.",
      "When programs publish faster than the broker traces, the page slows them down, so that its memory stays bounded.",
    ],
  };
}
