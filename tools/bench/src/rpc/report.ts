import { percentiles } from "../latency.ts";
import { figuresTable, writePage } from "../page.ts";
import { inFigures, type Plot } from "../plot.ts";
import type { Result } from "../results.ts";
import { ratio, ratioInWords, spread, where } from "../statistics.ts";

export const flights = [1, 50];
export const kinds = ["direct", "exclusive"] as const;
const figures = [...Object.keys(percentiles), "max"];

/** Draws the page of the calls from their results. */
export function report(folder: string, results: Result[]): string {
  const at = (way: string, inFlight: number, replies: string, noDelay: boolean) =>
    where(results, way, { inFlight, replies, noDelay });
  const plots = flights.map(
    (inFlight): Plot => ({
      name: `latency-${inFlight}`,
      title: `Latency of a call, ${inFlight} in flight`,
      subtitle: "Medians of each percentile, and the least and the greatest of the rounds",
      kind: "lines",
      categories: [...Object.values(percentiles).map((percent) => `${percent} %`), "all"],
      xLabel: "of the calls took at most",
      yLabel: "ms",
      logarithmic: true,
      series: [["amqplib", true] as const, ["amqplib", false] as const, ["C", true] as const]
        .flatMap(([way, noDelay]) =>
          kinds.map((replies) => ({
            name: `${way}, ${replies}${noDelay ? "" : ", no noDelay"}`,
            points: figures.map((figure) => spread(at(way, inFlight, replies, noDelay), figure)),
          })),
        )
        .filter(({ points }) => points.some(Boolean)),
    }),
  );
  const medians = (replies: string, noDelay: boolean) =>
    `${inFigures(spread(at("amqplib", 1, replies, noDelay), "p50")?.median ?? Number.NaN)} ms`;
  const summary = [
    `p50 of a call: direct ${medians("direct", true)}, exclusive ${medians("exclusive", true)}, without noDelay ${medians("direct", false)}`,
    ratioInWords("direct", "C", ratio(at("amqplib", 1, "direct", true), at("C", 1, "direct", true), "p50")),
  ].join("; ");
  const page = writePage(folder, {
    title: "Remote procedure calls",
    about: [
      "One process calls, another answers with the request's body and acknowledges it. The latency of a call is from before the request is published to the callback with its answer. Each call is noted in an HdrHistogram of 3 significant digits.",
      summary,
    ],
    plots,
    tables: [
      figuresTable(
        results,
        {
          p50: "p50, ms",
          p90: "p90, ms",
          p99: "p99, ms",
          p999: "p99.9, ms",
          max: "greatest, ms",
          throughput: "calls a second",
        },
        ["inFlight", "replies", "noDelay"],
      ),
    ],
    guarantees: {
      caption: "Guarantees",
      columns: ["way", "where the reply goes", "what a lost connection loses"],
      rows: [
        [
          "direct",
          "straight to the caller's channel, amq.rabbitmq.reply-to: no queue is declared or stored",
          "replies on their way",
        ],
        [
          "exclusive",
          "to a queue of the caller's own, deleted with its connection",
          "the queue and its replies",
        ],
      ],
    },
    notes: [
      "Requests are transient, in a durable classic queue; the server has a prefetch of 50 and acknowledges each request after its reply, in the same turn. Caller and server both have noDelay, or both lack it.",
      "Without noDelay TCP holds back the second of two small writes, the acknowledgement or the next request, until the first has been answered for, which the other side puts off for some 40 ms. C's librabbitmq always sets it.",
      "With 50 in flight a new call is made with each answer. A call's latency then includes the wait behind 49 others: it is throughput, seen from inside.",
      "Few calls go without noDelay, since each takes so long: their rightmost percentiles are the slowest call. Ours make a tenth of the calls first, unmeasured, because V8 compiles what has run for a while; C needs no such warm-up.",
    ],
    results,
  });
  return `${summary}; ${page}`;
}
