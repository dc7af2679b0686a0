import type { Benchmark, Context } from "../engine/benchmark.ts";
import { amqplib } from "../engine/programs.ts";
import { emptyQueue } from "../engine/queue.ts";
import type { Result, Variant } from "../engine/results.ts";
import { inFigures } from "../report/plot.ts";
import { figuresTable, type Report } from "../report/report.ts";
import { ratio, spread, where } from "../report/statistics.ts";

/** Bytes of a body. */
const size = 100;
const limits = [1, 10, 50, 100, 250, 500, 1000];
const acks = ["each", "grouped"] as const;

export const prefetch: Benchmark = {
  name: "prefetch",
  summary: "consuming with prefetch 1 to 1000, acknowledged one by one and grouped",
  report,
  prepare: async (context) => ({
    ways: (context.quick ? [1, 100, 250, 1000] : limits).flatMap((prefetch) =>
      acks.map((ack) => consuming(context, prefetch, ack)),
    ),
  }),
};

function consuming(context: Context, prefetch: number, ack: (typeof acks)[number]): Variant {
  const count = context.quick ? 500 : prefetch === 1 ? 10_000 : 40_000;
  const warmUp = count / 10;
  return {
    way: ack,
    settings: { prefetch, count, warmUp, size, queue: "classic" },
    label: `prefetch ${prefetch}, acks ${ack === "each" ? "one by one" : "grouped"}`,
    run: () =>
      emptyQueue(context, (options) => amqplib("consumer", options), { prefetch, ack, count, warmUp, size }),
  };
}

function report(results: Result[]): Report {
  const measured = limits.filter((prefetch) =>
    results.some(({ settings }) => settings.prefetch === prefetch),
  );
  const at = (way: string, prefetch: number) => where(results, way, { prefetch });
  const rate = (prefetch: number, way = "each") =>
    inFigures(spread(at(way, prefetch), "throughput")?.median ?? Number.NaN);
  const gain = ratio(at("grouped", 250), at("each", 250), "throughput");
  return {
    title: "Prefetch and acknowledgements",
    summary: [
      `prefetch 1: ${rate(1)}, 100: ${rate(100)}, 1000: ${rate(1000)} messages a second`,
      `grouped acks at 250: ${rate(250, "grouped")}, ${gain?.median.toFixed(2)} times acks one by one`,
    ],
    about: [
      "One process consumes a queue that is already full, and does nothing with a message but acknowledge it. Throughput is from the end of a warm-up (the first messages, which don't count) to the last acknowledgement. Afterwards nothing may be left to deliver.",
    ],
    plots: [
      {
        name: "throughput",
        title: "Consuming",
        subtitle: "Medians, and the least and the greatest of the rounds",
        kind: "lines",
        categories: measured.map(String),
        xLabel: "prefetch: messages that may be unacknowledged",
        yLabel: "messages a second",
        series: acks.map((ack) => ({
          name: ack === "each" ? "acknowledged one by one" : "grouped: once a turn",
          points: measured.map((prefetch) => spread(at(ack, prefetch), "throughput")),
        })),
      },
    ],
    tables: [figuresTable(results, { throughput: "messages a second" }, ["prefetch"])],
    guarantees: {
      caption: "Guarantees",
      columns: ["way", "acknowledges", "what a crash delivers again"],
      rows: [
        ["each", "every message when it has been handled", "what was not handled, and acks on their way"],
        [
          "grouped",
          "once for all that one turn of the event loop has brought: channel.ack(last, true)",
          "also what this turn has handled. Handlers must have ended when the turn does; asynchronous ones that end in another order can't be acknowledged like this",
        ],
      ],
    },
    notes: [
      "The handler does nothing, so this is the price of delivering and acknowledging. Where handling takes longer than that, prefetch gains less; and prefetch 1 shares slow work most evenly.",
      "The queue is a classic one. The consumer and the broker share this machine's cores; across a network a small prefetch costs more than here, since each message waits for a round trip.",
      "A prefetch of 1 has fewer messages to consume, so that its run takes no longer than the others.",
    ],
  };
}
