import type { Benchmark, Context } from "../engine/benchmark.ts";
import { amqplib } from "../engine/programs.ts";
import { type QueueType, queueTypes, withQueue } from "../engine/queue.ts";
import type { Result, Variant } from "../engine/results.ts";
import { publish } from "../engine/run.ts";
import type { Plot } from "../report/plot.ts";
import { figuresTable, inBrackets, type Report } from "../report/report.ts";
import { spread, where } from "../report/statistics.ts";

/** Bytes of a body. */
const size = 100;
const limits = [1, 10, 100, 1000];
/** How many messages each of these limits publishes in a second or two. */
const counts: Record<number, number> = { 1: 2_000, 10: 10_000, 100: 30_000, 1000: 50_000 };

export const confirms: Benchmark = {
  name: "confirms",
  summary: "publishing with confirms, one by one, in batches and in windows, on classic and quorum queues",
  report,
  prepare: async (context) => ({
    ways: ["individually", "batches", "windows"].flatMap((way) =>
      limits
        .filter((limit) => (limit === 1) === (way === "individually"))
        .flatMap((unconfirmed) =>
          queueTypes.map((queueType) => {
            const count = context.quick ? 200 : (counts[unconfirmed] ?? 0);
            return publishing(context, way, { count, warmUp: count / 10, unconfirmed, queue: queueType });
          }),
        ),
    ),
  }),
};

function publishing(
  context: Context,
  way: string,
  settings: { count: number; warmUp: number; unconfirmed: number; queue: QueueType },
): Variant {
  const { count, warmUp, unconfirmed: window, queue: type } = settings;
  return {
    way,
    settings: { ...settings, size },
    label: `${way}, ${window} unconfirmed, ${type} queue`,
    run: () =>
      withQueue(context.amqpUrl, type, (queue, channel) =>
        publish(
          amqplib("producer", {
            queue,
            count,
            size,
            persistent: true,
            window,
            warmUp,
            batches: way === "batches",
          }),
          { queue, channel, held: count + warmUp },
          context,
        ),
      ),
  };
}

function report(results: Result[]): Report {
  // One at a time is a batch of 1, and a window of 1.
  const at = (way: string, queue: string, unconfirmed: number) =>
    where(results, unconfirmed === 1 ? "individually" : way, { queue, unconfirmed });
  const plot = (name: string, figure: string, title: string, yLabel: string): Plot => ({
    name,
    title,
    subtitle: "Medians, and the least and the greatest of the rounds. 1: individually.",
    kind: "lines",
    categories: limits.map(String),
    xLabel: "messages that may be unconfirmed",
    yLabel,
    logarithmic: true,
    series: ["batches", "windows"].flatMap((way) =>
      queueTypes.map((queue) => ({
        name: `${way}, ${queue}`,
        points: limits.map((unconfirmed) => spread(at(way, queue, unconfirmed), figure)),
      })),
    ),
  });
  return {
    title: "Publisher confirms",
    summary: queueTypes.map(
      (queue) =>
        `window 1000, ${queue}: ${inBrackets(spread(at("windows", queue, 1000), "throughput"))} messages a second`,
    ),
    about: [
      "One process publishes persistent messages to a durable queue on a confirm channel, and no process consumes them. Throughput is from before the first publish to the last confirm; the latency of a confirm is from before the publish to amqplib's callback. After each run the queue must hold as many messages as were confirmed.",
    ],
    plots: [
      plot("throughput", "throughput", "Publishing with confirms", "messages a second"),
      plot("latency-p50", "p50", "Latency of a confirm, the median", "ms"),
      plot("latency-p99", "p99", "Latency of a confirm, 99th percentile", "ms"),
    ],
    tables: [
      figuresTable(
        results,
        { throughput: "messages a second", p50: "p50, ms", p99: "p99, ms", max: "greatest, ms" },
        ["queue", "unconfirmed"],
      ),
    ],
    guarantees: {
      caption: "Guarantees",
      columns: ["way", "waits", "what a confirm means"],
      rows: [
        ["individually", "for each confirm before the next message"],
        ["batches", "when a batch is out, until all of it is confirmed"],
        ["windows", "while a window's messages are unconfirmed, for one of them"],
      ].map((row) => [
        ...row,
        "quorum queue: written to disk and synced by a majority of its replicas, here the only one; classic queue: written to a file of this broker",
      ]),
    },
    notes: [
      "The latency of a confirm in a wide window is mostly the wait behind those before it: throughput is what a wide window is for.",
      "Ways with more unconfirmed messages publish more of them, so that each run takes a second or two. The publisher publishes a tenth of them first, unmeasured, because V8 compiles what has run for a while.",
      "What a confirm means for either queue type: https://www.rabbitmq.com/blog/2025/01/17/how-are-the-messages-stored",
      "Publisher and broker share this machine's cores. Across a network a confirm takes a round trip more, and windows gain more over single confirms than here.",
    ],
  };
}
