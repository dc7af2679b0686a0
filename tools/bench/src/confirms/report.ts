import { figuresTable, inBrackets, writePage } from "../page.ts";
import type { Plot } from "../plot.ts";
import { queueTypes } from "../queue.ts";
import type { Result } from "../results.ts";
import { ratio, ratioInWords, spread, where } from "../statistics.ts";

const limits = [1, 10, 100, 1000];

const confirmSays =
  "quorum queue: written to disk and synced by a majority of its replicas, here the only one; classic queue: written to a file of this broker";

/** Draws the page of the confirms from their results. */
export function report(folder: string, results: Result[]): string {
  // One at a time is a batch of 1, and a window of 1.
  const at = (way: string, queue: string, unconfirmed: number) =>
    where(results, unconfirmed === 1 && !way.endsWith("C") ? "individually" : way, { queue, unconfirmed });
  const plot = (name: string, figure: string, title: string, yLabel: string): Plot => ({
    name,
    title,
    subtitle: "Medians, and the least and the greatest of the rounds. 1: individually.",
    kind: "lines",
    categories: limits.map(String),
    xLabel: "messages that may be unconfirmed",
    yLabel,
    logarithmic: true,
    series: ["batches", "windows", "windows, in C"]
      .flatMap((way) =>
        queueTypes.map((queue) => ({
          name: `${way}, ${queue}`,
          points: limits.map((unconfirmed) => spread(at(way, queue, unconfirmed), figure)),
        })),
      )
      .filter(({ points }) => points.some(Boolean)),
  });
  const windows = queueTypes.map((queue) => {
    const ours = at("windows", queue, 1000);
    const rate = spread(ours, "throughput");
    return [
      `window 1000, ${queue}: ${rate ? `${inBrackets(rate)} messages a second` : "not measured"}`,
      ratioInWords("ours", "C", ratio(ours, at("windows, in C", queue, 1000), "throughput")),
    ].join("; ");
  });
  const page = writePage(folder, {
    title: "Publisher confirms",
    about: [
      "One process publishes persistent messages to a durable queue on a confirm channel, and nobody consumes. Throughput is from before the first publish to the last confirm; the latency of a confirm is from before the publish to amqplib's callback. After each run the queue must hold as many messages as were confirmed.",
      ...windows,
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
      columns: ["way", "waits", "what a confirm says"],
      rows: [
        ["individually", "for each confirm before the next message", confirmSays],
        ["batches", "when a batch is out, until all of it is confirmed", confirmSays],
        ["windows", "while a window's messages are unconfirmed, for one of them", confirmSays],
      ],
    },
    notes: [
      "The latency of a confirm in a wide window is mostly the wait behind those before it: throughput is what a wide window is for.",
      "Ways with more unconfirmed messages publish more of them, so that each run takes a second or two. Ours publishes a tenth of them first, unmeasured, because V8 compiles what has run for a while; C needs no such warm-up.",
      "What a confirm says of either queue type: https://www.rabbitmq.com/blog/2025/01/17/how-are-the-messages-stored",
      "Publisher and broker share this machine's cores. Across a network a confirm takes a round trip more, and windows gain more over single confirms than here.",
    ],
    results,
  });
  return `${windows.join("; ")}; ${page}`;
}
