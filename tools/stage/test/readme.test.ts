import { expect, test } from "vitest";
import { readReadme } from "../src/readme.ts";
import { readmeFile } from "./helpers.ts";

const fence = "```";

test("reads title, summary, diagram and scenarios with their narration", () => {
  const path = readmeFile(
    "# topics: *by* pattern",
    "",
    "The `first`",
    "paragraph.",
    "",
    `${fence}mermaid`,
    "flowchart LR",
    fence,
    "",
    "## Run it",
    "",
    "Not this: a list stands between.",
    "",
    "- a point",
    "",
    "Start **one**.",
    "",
    `${fence}console`,
    '$ sub "kern.*"',
    " [*] Waiting",
    "> typed",
    "  indented",
    "",
    "^C",
    "^\\",
    fence,
    "",
    "## What to notice",
    "",
    `${fence}ts`,
    "code",
    fence,
    `${fence}mermaid`,
    "flowchart TB",
    fence,
    "",
    "## Break it",
    "",
    `${fence}console`,
    "$ pub",
    fence,
  );
  expect(readReadme(path)).toEqual({
    path,
    title: "topics: by pattern",
    summary: "The first paragraph.",
    diagram: { text: "flowchart LR", line: 7 },
    scenarios: [
      {
        heading: "Run it",
        blocks: [
          {
            command: 'sub "kern.*"',
            line: 18,
            narration: ["Start one."],
            lines: [
              { kind: "printed", text: " [*] Waiting" },
              { kind: "typed", text: "typed" },
              { kind: "printed", text: "  indented" },
              { kind: "printed", text: "" },
              { kind: "key", text: "^C" },
              { kind: "key", text: "^\\" },
            ],
          },
        ],
      },
      { heading: "Break it", blocks: [{ command: "pub", line: 39, narration: [], lines: [] }] },
    ],
  });
});

test("two sections of the same name are two scenarios", () => {
  const section = ["## Again", "", `${fence}console`, "$ x", fence, ""];
  const { scenarios } = readReadme(readmeFile(...section, ...section));
  expect(scenarios.map(({ blocks }) => blocks.length)).toEqual([1, 1]);
});

test.each([
  ["without a command", ["## A", "", `${fence}console`, " [*] Waiting", fence], /README\.md:3: .*"\$ "/],
  ["outside a section", ["# A", "", `${fence}console`, "$ x", fence], /README\.md:3: .*##/],
  ["in a list", ["## A", "", "- one", `  ${fence}console`, "  $ x", `  ${fence}`], /README\.md:4: .*list/],
])("refuses a console block %s", (_, lines, message) => {
  expect(() => readReadme(readmeFile(...lines))).toThrow(message);
});
