import type { Benchmark, Context } from "../engine/benchmark.ts";
import { amqplib, typescript } from "../engine/programs.ts";
import { withQueue } from "../engine/queue.ts";
import type { Result, Way } from "../engine/results.ts";
import { publish, share } from "../engine/run.ts";
import { figuresTable, inBrackets, type Report } from "../report/report.ts";
import { ratio, ratioInWords, spread, where } from "../report/statistics.ts";
import { fill } from "./prefetch.ts";

/** Bytes of a body. */
const size = 100;
const prefetch = 100;

/** What is compared with bare amqplib at the same work. */
const works = {
  produce: "publishes all, then waits for the confirms",
  consume: `prefetch ${prefetch}, each message acknowledged`,
};
type Work = keyof typeof works;
const ways = ["shared", "amqplib"] as const;

export const helper: Benchmark = {
  name: "helper",
  summary: "this project's shared against bare amqplib at the same work",
  report,
  async prepare(context) {
    return {
      ways: (Object.keys(works) as Work[]).flatMap((work) => ways.map((way) => measured(context, way, work))),
    };
  },
};

function measured(context: Context, way: (typeof ways)[number], work: Work): Way {
  const count = context.quick ? 2_000 : 20_000;
  const warmUp = count / 10;
  const total = count + warmUp;
  return {
    way,
    settings: { work, count, warmUp, size, ...(work === "consume" && { prefetch }) },
    label: `${work}, ${way}`,
    total: count,
    run: (progress) =>
      withQueue(context.amqpUrl, "classic", async (queue, channel) => {
        if (work === "consume") {
          await fill(channel, queue, total, size);
          const consumer = { queue, prefetch, ack: "each", count: total, warmUp } as const;
          const program =
            way === "amqplib" ? amqplib("consumer", consumer) : typescript("shared.ts", work, consumer);
          const remaining = async () => (await channel.checkQueue(queue)).messageCount;
          return share({ consumers: [program], messages: total, warmUp, remaining }, context, progress);
        }
        const producer = { queue, count, size, persistent: false, window: total, warmUp };
        const program =
          way === "amqplib"
            ? amqplib("producer", { ...producer, drain: false })
            : typescript("shared.ts", work, producer);
        return publish(program, { queue, channel, total }, context, progress);
      }),
  };
}

function report(results: Result[]): Report {
  const at = (way: string, work: Work) => where(results, way, { work });
  const names = Object.keys(works) as Work[];
  return {
    title: "shared and bare amqplib",
    summary: names.map((work) => {
      const ours = at("shared", work);
      return `${work}: ${inBrackets(spread(ours, "throughput"))} messages a second; ${ratioInWords("shared", "bare amqplib", ratio(ours, at("amqplib", work), "throughput"))}`;
    }),
    about: [
      "The same messages, transient so that the disk is not what is compared, in a durable classic queue, by this project's shared and by a program on bare amqplib that has noDelay as well. Publishing is measured from before the first message to the last confirm, consuming from the first delivery to the last acknowledgement, both after a warm-up.",
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
    tables: [figuresTable(results, { throughput: "messages a second" }, ["work"])],
    guarantees: {
      caption: "The work",
      columns: ["name", "what it does"],
      rows: Object.entries(works),
    },
    notes: [
      "shared reconnects, publishes again what was unconfirmed, and closes in order. Bare amqplib does none of that here.",
    ],
  };
}
