import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { confirms } from "../src/benchmarks/confirms.ts";
import { helper } from "../src/benchmarks/helper.ts";
import { prefetch } from "../src/benchmarks/prefetch.ts";
import { roundRobin } from "../src/benchmarks/round-robin.ts";
import type { Benchmark } from "../src/engine/benchmark.ts";
import type { Result } from "../src/engine/results.ts";
import { drawSvg, type Plot } from "../src/report/plot.ts";
import { writeReport } from "../src/report/report.ts";
import { environment, result } from "./results.ts";

const spread = (median: number) => ({ median, least: median / 2, greatest: median * 2, rounds: 5 });
const plot: Plot = {
  name: "some",
  title: "A title",
  kind: "bars",
  categories: ["first", "second"],
  xLabel: "what varies",
  yLabel: "messages a second",
  series: [
    { name: "ours", points: [spread(12_345), spread(20_000)] },
    { name: "theirs", points: [spread(15_000), undefined] },
  ],
};

const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

describe("a plot", () => {
  test("of bars names everything, and has the figure of each", () => {
    const svg = drawSvg(plot);
    for (const text of ["A title", "first", "second", "what varies", "messages a second", "ours", "theirs"])
      expect(texts(svg)).toContain(text);
    for (const figure of ["12,345", "20,000", "15,000"]) expect(texts(svg)).toContain(figure);
    expect(svg).not.toContain("NaN");
    // GitHub shows no SVG that loads anything.
    expect(svg).not.toMatch(/(src|href)=|url\((?!["']?#)|@import|<script/);
  });

  test("of lines may have a logarithmic axis", () => {
    const [linear, logarithmic] = [false, true].map((logarithmic) =>
      drawSvg({ ...plot, kind: "lines", logarithmic }),
    );
    expect(texts(linear ?? "")).toContain("0");
    expect(texts(logarithmic ?? "")).toEqual(expect.arrayContaining(["1,000", "10,000", "100,000"]));
    expect(texts(logarithmic ?? "")).not.toContain("0");
    expect(logarithmic).not.toContain("NaN");
  });
});

describe("the report of", () => {
  function setUp({ report }: Benchmark) {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const results: Result[] = [];
    return {
      folder,
      append: (more: Partial<Result>) => void results.push(result(more)),
      write: () => writeReport(folder, report, results),
    };
  }

  const page = (folder: string) => readFileSync(join(folder, "README.md"), "utf8");

  test("confirms, with a plot for each figure", () => {
    const { folder, append, write } = setUp(confirms);
    for (const [index, throughput] of [40_000, 45_000, 10_000].entries())
      append({
        round: index + 1,
        way: "windows",
        settings: { queue: "quorum", unconfirmed: 1000 },
        measured: { throughput, p50: 1, p99: 2, max: 3 },
      });
    const summary = write();
    expect(summary).toContain("window 1000, quorum: 40,000 (10,000 to 45,000) messages a second");
    expect(summary).toContain("window 1000, classic: not measured");
    const plots = ["latency-p50.svg", "latency-p99.svg", "throughput.svg"];
    expect(readdirSync(folder).sort()).toEqual(["README.md", ...plots].sort());
    for (const name of plots) expect(page(folder)).toContain(`](${name})`);
    expect(page(folder)).toContain("| quorum | 1000 | windows | 40,000 (10,000 to 45,000) | 1 (1 to 1) |");
  });

  test("prefetch, with the gain of grouping", () => {
    const { folder, append, write } = setUp(prefetch);
    for (const [way, throughput] of [
      ["each", 20_000],
      ["grouped", 30_000],
    ] as const)
      append({ way, settings: { prefetch: 250, note: "<b>|" }, measured: { throughput } });
    const summary = write();
    expect(summary).toContain("grouped acks at 250: 30,000, 1.50 times acks one by one");
    expect(texts(readFileSync(join(folder, "throughput.svg"), "utf8"))).toContain("grouped: once a turn");
    // What is in a cell is no markup.
    expect(page(folder)).toContain("| note | \\<b>\\| |");
  });

  test("helper, with the memory of the loop", () => {
    const { append, write } = setUp(helper);
    append({ way: "shared", settings: { work: "publisher" }, measured: { throughput: 18_000 } });
    append({ way: "amqplib", settings: { work: "publisher" }, measured: { throughput: 20_000 } });
    const loop = { work: "loop", count: 1_000_000 };
    append({ way: "shared", settings: loop, measured: { throughput: 30_000, heap: 20, rss: 90 } });
    const summary = write();
    expect(summary).toContain("messages a second, of bare amqplib's: 0.9 (0.9 to 0.9)");
    expect(summary).toContain("loop of 1,000,000: heap 20 (20 to 20) MiB, process 90 (90 to 90) MiB at most");
    expect(summary).toContain("consume: not measured messages a second, of bare amqplib's: not measured");
  });

  test("round-robin, with a plot for each size and both brokers", () => {
    const { folder, append, write } = setUp(roundRobin);
    for (const size of [100, 500, 1_000])
      for (const [way, throughput] of [
        ["RabbitMQ", 20_000],
        ["Kafka", 60_000],
      ] as const)
        append({ way, settings: { profile: "durable", size, count: 100_000 }, measured: { throughput } });
    expect(write()).toContain("Kafka 60,000 (60,000 to 60,000)");
    for (const size of [100, 500, 1_000])
      expect(texts(readFileSync(join(folder, `throughput-${size}.svg`), "utf8"))).toContain("Kafka");
    expect(page(folder)).toContain("| `durable` | RabbitMQ | 20,000 | 20,000 | 20,000 |");
    expect(page(folder)).toContain("| durable: Kafka ÷ RabbitMQ | 3 (3 to 3) |");
    expect(page(folder)).toContain(environment.cpu);
  });

  test("nothing, when there are no results", () => {
    expect(setUp(confirms).write).toThrow(/^No results in /);
  });
});
