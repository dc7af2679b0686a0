import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Options } from "../src/benchmark.ts";
import { confirms } from "../src/confirms/confirms.ts";
import { drawPng, drawSvg, type Plot } from "../src/plot.ts";
import { prefetch } from "../src/prefetch/prefetch.ts";
import { ResultFile } from "../src/results.ts";
import { rpc } from "../src/rpc/rpc.ts";
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
  test("of bars says what is what, and has the figure of each", () => {
    const svg = drawSvg(plot);
    for (const text of ["A title", "first", "second", "what varies", "messages a second", "ours", "theirs"])
      expect(texts(svg)).toContain(text);
    for (const figure of ["12,345", "20,000", "15,000"]) expect(texts(svg)).toContain(figure);
    expect(svg).not.toContain("NaN");
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

  test("as PNG is twice its size, and its texts are drawn on a machine without fonts", () => {
    const png = drawPng(drawSvg(plot));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1800, 1040]);
    const withoutTexts = drawPng(drawSvg(plot).replaceAll(/<text[^>]*>[^<]*<\/text>/g, ""));
    expect(png.length).toBeGreaterThan(withoutTexts.length + 5_000);
  });
});

describe("drawn from the file alone", () => {
  function setUp() {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const options: Options = {
      quick: false,
      rounds: undefined,
      resume: false,
      plotOnly: true,
      with: [],
      folder,
    };
    return { folder, options, file: new ResultFile(join(folder, "results.jsonl")) };
  }

  const page = (folder: string) => readFileSync(join(folder, "index.html"), "utf8");

  test("the page of the confirms, with the ratio to C round by round", async () => {
    const { folder, options, file } = setUp();
    for (const [round, ours, c] of [
      [1, 40_000, 50_000],
      [2, 45_000, 50_000],
      [3, 10_000, 10_000],
    ] as const)
      for (const [way, throughput] of [
        ["windows", ours],
        ["windows, in C", c],
      ] as const)
        file.append(
          result({
            benchmark: "confirms",
            round,
            way,
            settings: { queue: "quorum", unconfirmed: 1000 },
            measured: { throughput, p50: 1, p99: 2, max: 3 },
          }),
        );
    const summary = await confirms.run(options);
    expect(summary).toContain("window 1000, quorum: 40,000 (10,000 to 45,000) messages a second");
    expect(summary).toContain("ours: 0.90 of C (0.80 to 1.00)");
    expect(summary).toContain("window 1000, classic: not measured");
    const plots = ["latency-p50", "latency-p99", "throughput"].flatMap((name) => [
      `${name}.png`,
      `${name}.svg`,
    ]);
    expect(readdirSync(folder).sort()).toEqual(["index.html", ...plots, "results.jsonl"].sort());
    expect(page(folder).match(/<svg/g)).toHaveLength(3);
  });

  test("the page of the prefetch", async () => {
    const { folder, options, file } = setUp();
    for (const [way, throughput] of [
      ["each", 20_000],
      ["grouped", 30_000],
    ] as const)
      file.append(result({ way, settings: { prefetch: 250 }, measured: { throughput } }));
    expect(await prefetch.run(options)).toContain("grouped acks at 250: 30,000, 1.50 times acks one by one");
    expect(page(folder)).toContain("grouped: once a turn");
  });

  test("the page of the calls, which needs nothing from anywhere else", async () => {
    const { folder, options, file } = setUp();
    for (const [way, p50] of [
      ["amqplib", 0.22],
      ["C", 0.2],
    ] as const)
      file.append(
        result({
          way,
          settings: { inFlight: 1, replies: "direct", noDelay: true },
          measured: { p50, p90: 1, p99: 2, p999: 3, max: 4 },
          environment: { ...environment, cpu: "<b>&" },
        }),
      );
    expect(await rpc.run(options)).toContain("direct: 1.10 of C (1.10 to 1.10)");
    const html = page(folder);
    expect(html).toContain("&#60;b&#62;&#38;");
    expect(html).not.toContain("<b>");
    expect(html).not.toMatch(/(src|href)=|url\((?!["']?#)|@import/);
  });

  test("nothing, when there are no results", async () => {
    for (const benchmark of [confirms, prefetch, rpc])
      await expect(benchmark.run(setUp().options)).rejects.toThrow(/^No results in /);
  });
});
