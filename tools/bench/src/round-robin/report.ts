import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../benchmark.ts";
import { figuresTable, inBrackets, type Table, writePage } from "../page.ts";
import type { Plot } from "../plot.ts";
import { whole } from "../progress.ts";
import { inWords, type Result } from "../results.ts";
import { ratio, spread } from "../statistics.ts";
import { kafkaProfiles, type Profile, rabbitmqProfiles } from "./profiles.ts";

const figures = {
  throughput: "throughput (messages/s)",
  publishing: "publishing (messages/s)",
  duplicates: "duplicates",
  leastShare: "least share (messages)",
};

/**
 * Draws the plots and the page of results, and prints the figures.
 *
 * @param folder Where to.
 * @param results All that have been measured.
 * @param missing What could not be measured, and why.
 * @returns A line with what matters most.
 */
export function report(folder: string, results: Result[], missing: string[]): string {
  if (results.length === 0) throw new UserError(`No results in ${folder} yet.`);
  const table = figuresTable(results, figures, ["size", "profile"]);
  const page = writePage(folder, {
    title: "One producer, four consumers: RabbitMQ and Kafka",
    about: [
      `One process publishes ${count(results)} messages to four others, which share them: in RabbitMQ from one queue, in Kafka as a consumer group of one topic with four partitions. Each is a process with one connection, on the same machine as the broker: Node, where it doesn't say C or pika.`,
      "Measured from just before the first publish to the last acknowledgement, or commit. Publishing begins when all four consumers have subscribed or have been assigned a partition. Each message carries its number: a run that loses one fails, and one that is delivered again is counted.",
    ],
    plots: plots(results),
    tables: [table, ...ratios(results)],
    guarantees: guarantees(),
    notes: [
      ...missing,
      "The brokers run on one node each, with their own defaults; Kafka with the heap and the collector that its own start script gives it. Replication, which is what both are made for, is not measured.",
      "Both brokers are up during all runs, and idle while the other one works.",
      "The client libraries are part of what is measured: amqplib and @platformatic/kafka, both JavaScript.",
      "Kafka groups the messages of a request by partition and stores them as one batch. RabbitMQ routes, stores and delivers each message by itself, and can then retry, expire or dead-letter each by itself.",
    ],
    results,
  });
  writeFileSync(join(folder, "figures.md"), markdown(results));
  for (const row of [table.columns, ...table.rows]) console.log(row.join("\t"));
  const [size = 0] = sizes(results);
  const durable = ["RabbitMQ", "Kafka"].flatMap((way) => {
    const throughput = spread(of(results, way, "durable", size), "throughput");
    return throughput ? [`${way} ${whole(throughput.median)}/s`] : [];
  });
  const without = missing.map((line) => `; ${line.split("\n", 1)[0]}`).join("");
  return `durable, ${size} bytes: ${durable.join(", ")}${without}; ${page}`;
}

/** The medians as Markdown, for docs/rabbitmq-and-kafka.md. */
function markdown(results: Result[]): string {
  const row = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rows = profiles.flatMap(({ name }, n, all) => {
    // A profile that both brokers have is listed for each.
    if (all.findIndex((profile) => profile.name === name) !== n) return [];
    return ways(results).flatMap((way) => {
      const medians = sizes(results).map(
        (size) => spread(of(results, way, name, size), "throughput")?.median,
      );
      if (medians.every((median) => median === undefined)) return [];
      return [
        row([`\`${name}\``, way, ...medians.map((median) => (median === undefined ? "" : whole(median)))]),
      ];
    });
  });
  const columns = ["Profile", "", ...sizes(results).map((size) => `${size} bytes`)];
  return `${[row(columns), row(columns.map((_, n) => (n < 2 ? "---" : "--:"))), ...rows].join("\n")}\n`;
}

/** One for each size: throughput by profile. */
function plots(results: Result[]): Plot[] {
  const names = profiles.map(({ name }) => name).filter((name, n, all) => all.indexOf(name) === n);
  return sizes(results).map((size) => ({
    name: `throughput-${size}`,
    title: `${count(results)} messages of ${size} bytes from one producer to four consumers`,
    subtitle: `Medians, whiskers from the least to the greatest of ${rounds(results)} rounds; higher is better`,
    kind: "bars",
    categories: names,
    xLabel: "profile",
    yLabel: "messages/s",
    series: ways(results).map((way) => ({
      name: way,
      points: names.map((name) => spread(of(results, way, name, size), "throughput")),
    })),
  }));
}

/** What the tuned settings gain, and how near to C they are. */
function ratios(results: Result[]): Table[] {
  const pairs: [string, [string, string], [string, string]][] = [
    [
      "tuned ÷ tutorial: what prefetch 250 and grouped acks gain",
      ["RabbitMQ", "tuned"],
      ["RabbitMQ", "tutorial"],
    ],
    ["tuned ÷ pika's tutorial", ["RabbitMQ", "tuned"], ["pika", "tutorial"]],
    ["tutorial ÷ pika's tutorial: what the language gains", ["RabbitMQ", "tutorial"], ["pika", "tutorial"]],
    ["tuned ÷ C, tuned alike", ["RabbitMQ", "tuned"], ["C", "tuned"]],
    ["tutorial: Kafka ÷ RabbitMQ", ["Kafka", "tutorial"], ["RabbitMQ", "tutorial"]],
    ["durable: Kafka ÷ RabbitMQ", ["Kafka", "durable"], ["RabbitMQ", "durable"]],
    ["fast: Kafka ÷ RabbitMQ", ["Kafka", "fast"], ["RabbitMQ", "fast"]],
  ];
  const rows = pairs.map(([what, ours, theirs]) => [
    what,
    ...sizes(results).map((size) => {
      const quotient = ratio(of(results, ...ours, size), of(results, ...theirs, size), "throughput");
      return quotient ? inBrackets(quotient) : "";
    }),
  ]);
  return [
    {
      caption: "Ratios, taken round by round: their median, and in brackets the least and the greatest",
      columns: ["throughput of", ...sizes(results).map((size) => `${size} bytes`)],
      rows: rows.filter(([, ...cells]) => cells.some(Boolean)),
    },
  ];
}

function guarantees(): Table {
  return {
    caption: "What each profile promises, and how fair it is",
    columns: ["profile", "broker", "a message is", "settings", "how fair"],
    rows: profiles.map(({ name, broker, guarantee, settings, fairness }) => [
      name,
      broker,
      guarantee,
      inWords(settings),
      fairness,
    ]),
  };
}

const profiles: Profile[] = [...rabbitmqProfiles, ...kafkaProfiles].toSorted(
  (a, b) => order(a.name) - order(b.name),
);
function order(name: string): number {
  return rabbitmqProfiles.findIndex((profile) => profile.name === name);
}

const unique = <T>(all: T[]): T[] => [...new Set(all)];
const sizes = (results: Result[]) => unique(results.map(({ settings }) => Number(settings.size)));
const ways = (results: Result[]) =>
  ["RabbitMQ", "Kafka", "C", "pika"].filter((way) => results.some((result) => result.way === way));
const count = (results: Result[]) =>
  whole(Math.max(...results.map(({ settings }) => Number(settings.messages))));
const rounds = (results: Result[]) => Math.max(...results.map(({ round }) => round));
const of = (results: Result[], way: string, profile: string, size: number) =>
  results.filter(
    (result) => result.way === way && result.settings.profile === profile && result.settings.size === size,
  );
