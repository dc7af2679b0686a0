import { type Broker, startBroker } from "broker";
import { beforeAll, describe, expect, test } from "vitest";
import { compareTopologies, readDiagram, readTopology, type Topology } from "../src/topology.ts";

const diagram = (...lines: string[]) =>
  readDiagram({ text: ["flowchart LR", ...lines].join("\n"), line: 10 });

test("reads programs, exchanges, queues, bindings and remarks", () => {
  expect(
    diagram(
      '  pub(["pub"]) --> logs{{"topic_logs (topic)"}}',
      "  %% a comment",
      "",
      '  logs -- "kern.*" --> q[("amq.gen-…")] --> sub(["sub kern.*"])',
      '  logs --> all{{"all (fanout)"}} --> archive[("archive")]',
      '  h{{"docs (headers)"}} -- "x-match=all, format=pdf" --> archive',
      '  d{{"(default)"}} -- "archive" --> archive',
      '  q -. "rejected" .-> all',
      "  sub -.-> pub",
    ),
  ).toEqual({
    exchanges: [
      { id: "logs", name: "topic_logs", type: "topic" },
      { id: "all", name: "all", type: "fanout" },
      { id: "h", name: "docs", type: "headers" },
      { id: "d", name: "", type: "direct" },
    ],
    queues: [
      { id: "q", name: "amq.gen-…" },
      { id: "archive", name: "archive" },
    ],
    bindings: [
      { source: "logs", destination: "q", key: "kern.*" },
      { source: "logs", destination: "all", key: "" },
      { source: "all", destination: "archive", key: "" },
      { source: "h", destination: "archive", key: "format=pdf, x-match=all" },
      { source: "d", destination: "archive", key: "archive" },
    ],
  });
});

test.each([
  ["another direction", () => readDiagram({ text: "flowchart TB", line: 10 }), /Line 10: .*flowchart LR/],
  ["an unknown statement", () => diagram("subgraph x"), /Line 11: "subgraph"/],
  ["an unquoted label", () => diagram('p(["p"])', "p --> x{{logs (topic)}}"), /Line 12: .*edge.*\{\{logs/],
  ["an unknown edge", () => diagram('p(["p"]) ==> x{{"x (topic)"}}'), /Line 11: .*edge.*==>/],
  ["an edge to nowhere", () => diagram('p(["p"]) -->'), /Line 11: .*node.*end of line/],
  ["a node without a shape", () => diagram('p(["p"]) --> x'), /Line 11: "x" has no shape/],
  ["two shapes for a node", () => diagram('p(["p"])', 'p[("p")]'), /Line 12: "p" was something else/],
  ["the same queue twice", () => diagram('a[("q")]', 'b[("q")]'), /Line 12: Two nodes are the queue "q"/],
  ["an exchange without a type", () => diagram('x{{"logs"}}'), /Line 11: "logs".*name \(type\)/],
  [
    "publishing to a queue",
    () => diagram('p(["p"]) --> q[("q")]'),
    /Line 11: No message goes from program to queue/,
  ],
  [
    "consuming from an exchange",
    () => diagram('x{{"x (topic)"}} --> c(["c"])'),
    /Line 11: No message goes from exchange to program/,
  ],
])("refuses %s", (_, read, message) => {
  expect(read).toThrow(message);
});

describe("compared with a real broker", () => {
  let real: Topology;

  beforeAll(async () => {
    const broker: Broker = await startBroker();
    const { name, delete: remove } = await broker.createVirtualHost();
    const put = (path: string, body: unknown) => broker.management("PUT", path.replace("%", name), body);
    const bind = (path: string, body: unknown) => broker.management("POST", path.replace("%", name), body);
    for (const [exchange, type] of Object.entries({ topic_logs: "topic", all: "fanout", docs: "headers" }))
      await put(`/exchanges/%/${exchange}`, { type, durable: true });
    for (const queue of ["q-1", "q-2", "archive"]) await put(`/queues/%/${queue}`, { durable: true });
    await bind("/bindings/%/e/topic_logs/q/q-1", { routing_key: "kern.*" });
    await bind("/bindings/%/e/topic_logs/q/q-2", { routing_key: "#" });
    await bind("/bindings/%/e/topic_logs/e/all", { routing_key: "#" });
    await bind("/bindings/%/e/all/q/archive", {});
    await bind("/bindings/%/e/docs/q/archive", { arguments: { format: "pdf", "x-match": "all" } });
    real = await readTopology(broker.management, name);
    return remove;
  });

  const lines = [
    'logs{{"topic_logs (topic)"}} -- "kern.*" --> q1[("q-…")]',
    'logs -- "#" --> q2[("q-…")]',
    'logs -- "#" --> all{{"all (fanout)"}} --> archive[("archive")]',
    'docs{{"docs (headers)"}} -- "x-match=all, format=pdf" --> archive',
  ];

  test("the same", () => {
    const compared = compareTopologies(diagram(...lines), real);
    expect(compared.real).toEqual(compared.drawn);
    expect(compared.real).toEqual([
      'exchange all (fanout) <- topic_logs "#"',
      "exchange docs (headers)",
      "exchange topic_logs (topic)",
      'queue archive <- all "", docs "format=pdf, x-match=all"',
      'queue q-… <- topic_logs "#"',
      'queue q-… <- topic_logs "kern.*"',
    ]);
  });

  test("the same, with what RabbitMQ makes by itself drawn, too", () => {
    const drawn = diagram(
      ...lines,
      'default{{"(default)"}} -- "archive" --> archive',
      'default -- "q-…" --> q1',
      'default -- "q-…" --> q2',
      'direct{{"amq.direct (direct)"}}',
    );
    const compared = compareTopologies(drawn, real);
    expect(compared.real).toEqual(compared.drawn);
    expect(compared.real).toContain(
      'queue archive <- (default) "archive", all "", docs "format=pdf, x-match=all"',
    );
    expect(compared.real).toContain("exchange amq.direct (direct)");
  });

  test.each([
    ["a binding's key", '"kern.*"', '"kern.#"'],
    ["an exchange's type", "topic_logs (topic)", "topic_logs (direct)"],
    ["an exchange's name", "docs (headers)", "documents (headers)"],
    ["a queue's name", '[("archive")]', '[("archives")]'],
    ["a binding's arguments", "x-match=all", "x-match=any"],
    ["a binding to another queue", '"#" --> q2[("q-…")]', '"#" --> q1[("q-…")]'],
    ["an exchange between", '--> all{{"all (fanout)"}} --> archive', "--> archive"],
  ])("another drawing: %s", (_, text, other) => {
    const drawn = diagram(...lines.map((line) => line.replace(text, other)));
    const compared = compareTopologies(drawn, real);
    expect(compared.real).not.toEqual(compared.drawn);
  });

  test("what is drawn but isn't there, and the other way round", () => {
    const more = compareTopologies(diagram(...lines, 'extra[("extra")]'), real);
    expect(more.drawn.filter((line) => !more.real.includes(line))).toEqual(["queue extra"]);
    const fewer = compareTopologies(diagram(...lines.slice(0, 2)), real);
    expect(fewer.real.filter((line) => !fewer.drawn.includes(line))).toEqual([
      'exchange all (fanout) <- topic_logs "#"',
      "exchange docs (headers)",
      'queue archive <- all "", docs "format=pdf, x-match=all"',
    ]);
  });
});
