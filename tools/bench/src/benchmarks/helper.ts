import type { Benchmark, Context } from "../engine/benchmark.ts";
import { amqplib, typescript } from "../engine/programs.ts";
import { emptyQueue, withQueue } from "../engine/queue.ts";
import type { Result, Variant } from "../engine/results.ts";
import { publish } from "../engine/run.ts";
import { inFigures } from "../report/plot.ts";
import { figuresTable, inBrackets, type Report } from "../report/report.ts";
import { ratio, spread, where } from "../report/statistics.ts";

/** Bytes of a body. */
const size = 100;
/** How many messages a consumer may have, and how it acknowledges them. */
const consumers = {
  consume: { prefetch: 100, ack: "each" },
  grouped: { prefetch: 250, ack: "grouped" },
} as const;
const window = 1_000;
/** Messages in a loop whose memory is measured. */
const many = 1_000_000;

/** What is compared with bare amqplib at the same work. */
const compared = {
  publisher: `\`openPublisher\` publishes while fewer than ${inFigures(window)} messages are unconfirmed`,
  consume: `\`openConsumer\` and \`handle\`, prefetch ${consumers.consume.prefetch}, each message acknowledged`,
  grouped: `the same with prefetch ${consumers.grouped.prefetch} and acknowledged in groups`,
};
const works = {
  ...compared,
  loop: `\`openPublisher\` as above, ${inFigures(many)} messages in one loop: how much memory that takes`,
};
type Work = keyof typeof works;
const ways = ["shared", "amqplib"] as const;

export const helper: Benchmark = {
  name: "helper",
  summary:
    "this project's shared against bare amqplib at the same work, and its memory over a million messages",
  report,
  prepare: async (context) => ({
    ways: [
      ...(Object.keys(compared) as Work[]).flatMap((work) => ways.map((way) => measured(context, way, work))),
      measured(context, "shared", "loop"),
    ],
  }),
};

function measured({ quick, ...context }: Context, way: (typeof ways)[number], work: Work): Variant {
  const count = work === "loop" ? (quick ? 10_000 : many) : quick ? 2_000 : 100_000;
  const warmUp = work === "loop" ? 0 : count / 10;
  const common = { work, count, warmUp, size };
  if (work === "consume" || work === "grouped")
    return {
      way,
      settings: { ...common, ...consumers[work] },
      label: `${work}, ${way}`,
      run: () =>
        emptyQueue(
          context,
          (options) =>
            way === "amqplib" ? amqplib("consumer", options) : typescript("shared.ts", "consume", options),
          { ...consumers[work], count, warmUp, size },
        ),
    };
  // A loop's messages would fill the broker's memory.
  const held = work === "loop" ? 1_000 : count + warmUp;
  return {
    way,
    settings: { ...common, window },
    label: `${work}, ${way}`,
    run: () =>
      withQueue(
        context.amqpUrl,
        "classic",
        async (queue, channel) => {
          const options = { queue, count, size, persistent: false, window, warmUp };
          const producer =
            way === "amqplib" ? amqplib("producer", options) : typescript("shared.ts", "publisher", options);
          return publish(producer, { queue, channel, held }, context);
        },
        held,
      ),
  };
}

function report(results: Result[]): Report {
  const at = (way: string, work: Work) => where(results, way, { work });
  const names = Object.keys(compared) as Work[];
  const figure = (name: string) => inBrackets(spread(at("shared", "loop"), name));
  const [loop] = at("shared", "loop");
  return {
    title: "shared and bare amqplib",
    summary: [
      ...names.map((work) => {
        const ours = at("shared", work);
        const toBare = ratio(ours, at("amqplib", work), "throughput");
        return `${work}: ${inBrackets(spread(ours, "throughput"))} messages a second, of bare amqplib's: ${inBrackets(toBare)}`;
      }),
      `loop of ${loop ? inFigures(Number(loop.settings.count)) : "many"}: heap ${figure("heap")} MiB, process ${figure("rss")} MiB at most, ${figure("throughput")} messages a second`,
    ],
    about: [
      "The same messages, transient so that the disk is not what is compared, in a durable classic queue, by this project's shared and by a program on bare amqplib that has noDelay as well. Publishing is measured from before the first message to the last confirm, consuming from the first delivery to the last acknowledgement, both after a warm-up. Memory is read each 100 ms: V8's heap, and all of the process (RSS).",
    ],
    plots: [
      {
        name: "throughput",
        title: "shared and bare amqplib",
        subtitle: "Medians, and the least and the greatest of the rounds; higher is better",
        kind: "bars",
        categories: names,
        xLabel: "",
        yLabel: "messages a second",
        series: ways.map((name) => ({
          name,
          points: names.map((work) => spread(at(name, work), "throughput")),
        })),
      },
    ],
    tables: [
      figuresTable(results, { throughput: "messages a second", heap: "heap, MiB", rss: "process, MiB" }, [
        "work",
      ]),
    ],
    guarantees: { caption: "The work", columns: ["name", "what it does"], rows: Object.entries(works) },
    notes: [
      "shared reconnects, publishes again what was unconfirmed, and closes in order. Bare amqplib does none of that here.",
      "The heap includes what the garbage collector has not freed yet.",
    ],
  };
}
