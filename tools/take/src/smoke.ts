import { type ParseEntry, parse } from "shell-quote";
import { type Block, READY, type Scenario } from "stage";

/**
 * Writes the test that plays the first scenario of a page.
 *
 * @param scenario The scenario, with commands that run in the new project.
 */
export function writeSmokeTest({ heading, blocks }: Scenario): string {
  const terminals = blocks.map((block) => {
    const shows = shownBy(block);
    const readyAfter = shows.findIndex((line) => READY.test(line)) + 1;
    return [
      "      {",
      `        command: ${array(words(block.command))},`,
      `        shows: ${array(shows)},`,
      ...(readyAfter > 0 ? [`        readyAfter: ${readyAfter},`] : []),
      "      },\n",
    ].join("\n");
  });
  return `import { test } from "node:test";
import { findBroker } from "./broker.ts";
import { play } from "./play.ts";

// The first scenario of README.md, with real processes and a real RabbitMQ.
test(${JSON.stringify(heading)}, { timeout: 180_000 }, async ({ signal }) => {
  const broker = await findBroker();
  try {
    const terminals = [
${terminals.join("")}    ];
    await play(terminals, { env: broker.env, signal });
  } finally {
    await broker.stop();
  }
});
`;
}

const shownBy = ({ lines }: Block): string[] =>
  lines
    .map(({ kind, text }) => (kind === "typed" ? `> ${text}` : text))
    // Other lines may stand between those of the list.
    .filter((line) => line !== "…");

/** A command's words. One that needs a shell gets it. */
function words(command: string): string[] {
  const parsed: ParseEntry[] = parse(command, (name) => ({ op: name }));
  return parsed.every((word) => typeof word === "string") ? parsed : ["sh", "-c", command];
}

function array(list: string[]): string {
  const line = `[${list.map((item) => JSON.stringify(item)).join(", ")}]`;
  if (line.length < 80) return line;
  return `[\n${list.map((item) => `          ${JSON.stringify(item)},\n`).join("")}        ]`;
}
