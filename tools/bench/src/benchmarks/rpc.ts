import type { Benchmark, Context } from "../engine/benchmark.ts";
import { amqplib } from "../engine/programs.ts";
import { withQueue } from "../engine/queue.ts";
import type { Result, Way } from "../engine/results.ts";
import { percentiles } from "../engine/roles.ts";
import { call } from "../engine/run.ts";
import { inFigures } from "../report/plot.ts";
import { figuresTable, type Report } from "../report/report.ts";
import { spread, where } from "../report/statistics.ts";

/** Bytes of a request and of its reply. */
const size = 100;
/** Of the server: no call waits for another's acknowledgement. */
const prefetch = 50;
const flights = [1, 50];
const kinds = ["direct", "exclusive"] as const;

export const rpc: Benchmark = {
  name: "rpc",
  summary: "latency of calls: direct reply-to and an exclusive queue, 1 and 50 in flight, noDelay",
  report,
  prepare: async (context) => ({
    ways: flights.flatMap((inFlight) =>
      kinds.flatMap((replies) =>
        [true, false].map((noDelay) => calling(context, { inFlight, replies, noDelay })),
      ),
    ),
  }),
};

function calling(
  context: Context,
  choice: { inFlight: number; replies: (typeof kinds)[number]; noDelay: boolean },
): Way {
  const { inFlight, replies, noDelay } = choice;
  // Without noDelay a call waits some 40 ms, and 50 in flight share that.
  const full = (noDelay ? 4_000 : 50) * (inFlight === 1 ? 1 : 5);
  const count = context.quick ? Math.min(full / 5, 100) : full;
  const settings = { ...choice, count, warmUp: count / 10, size };
  return {
    way: replies,
    settings: { ...settings, prefetch },
    label: `${replies}, ${inFlight} in flight${noDelay ? "" : ", without noDelay"}`,
    run: () =>
      withQueue(context.amqpUrl, "classic", (queue) => {
        const server = amqplib("server", { queue, prefetch, noDelay });
        const caller = amqplib("caller", { ...settings, queue });
        return call({ server, caller }, context);
      }),
  };
}

function report(results: Result[]): Report {
  const at = (replies: string, inFlight: number, noDelay: boolean) =>
    where(results, replies, { inFlight, noDelay });
  const p50 = (replies: string, noDelay: boolean) =>
    `${inFigures(spread(at(replies, 1, noDelay), "p50")?.median ?? Number.NaN)} ms`;
  return {
    title: "Remote procedure calls",
    summary: [
      `p50 of a call: direct ${p50("direct", true)}, exclusive ${p50("exclusive", true)}, without noDelay ${p50("direct", false)}`,
    ],
    about: [
      "One process calls, another answers with the request's body and acknowledges it. The latency of a call is from before the request is published to the callback with its answer. Each call is noted in a histogram of 3 significant digits.",
    ],
    plots: flights.map((inFlight) => ({
      name: `latency-${inFlight}`,
      title: `Latency of a call, ${inFlight} in flight`,
      subtitle: "Medians of each percentile, and the least and the greatest of the rounds",
      kind: "lines",
      categories: [...Object.values(percentiles).map((percent) => `${percent} %`), "all"],
      xLabel: "of the calls took at most",
      yLabel: "ms",
      logarithmic: true,
      series: [true, false].flatMap((noDelay) =>
        kinds.map((replies) => ({
          name: `${replies}${noDelay ? "" : ", no noDelay"}`,
          points: [...Object.keys(percentiles), "max"].map((figure) =>
            spread(at(replies, inFlight, noDelay), figure),
          ),
        })),
      ),
    })),
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
        ["inFlight", "noDelay"],
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
        ["exclusive", "to a queue of the caller, deleted with its connection", "the queue and its replies"],
      ],
    },
    notes: [
      "Requests are transient, in a durable classic queue; the server has a prefetch of 50 and acknowledges each request after its reply, in the same turn. Caller and server both have noDelay, or both lack it.",
      "Without noDelay TCP holds back the second of two small writes, the acknowledgement or the next request, until the other side has acknowledged the first, which it delays by some 40 ms.",
      "With 50 in flight a new call is made with each answer. A call's latency then includes the wait behind 49 others.",
      "Few calls go without noDelay, since each takes so long: their rightmost percentiles are the slowest call. The caller makes a tenth of the calls first, unmeasured, because V8 compiles what has run for a while.",
    ],
  };
}
