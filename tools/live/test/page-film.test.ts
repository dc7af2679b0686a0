import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBroker } from "broker";
import { expect, test } from "vitest";
import { launchForTest } from "../browser/launch.ts";
import { fromLines, record, recordingOf, shapeOf } from "../film/record.ts";
import { film } from "../film/studio.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const recordings = readdirSync(join(root, "tools/live/film"))
  .filter((file) => file.endsWith(".jsonl"))
  .map((file) => basename(file, ".jsonl"));
const recordingOfPattern = (pattern: string) => fromLines(readFileSync(recordingOf(root, pattern), "utf8"));

test.for(recordings)("the film of %s shows what happens today", { timeout: 180_000 }, async (pattern) => {
  const recording = recordingOfPattern(pattern);
  const scenario = recording.find(({ type }) => type === "scenario");
  if (scenario?.type !== "scenario") throw new Error("It shows no scenario.");
  const broker = await startBroker();
  try {
    const fresh = shapeOf(await record(root, pattern, scenario.index, broker));
    const number = scenario.index + 1;
    expect(fresh, `Film it anew: pnpm live film ${pattern} --record --scenario ${number}`).toEqual(
      shapeOf(recording),
    );
  } finally {
    await broker.stop();
  }
});

const browser = await launchForTest();

test.skipIf(!browser)("a film is the same each time", async () => {
  if (!browser) return;
  const recording = recordingOfPattern("topics");
  // The first message, and what comes before it.
  const end = recording.findIndex(({ type }, index) => {
    return type === "step" && recording.slice(0, index).some((event) => event.type === "published");
  });
  const part = recording.slice(0, end);
  const [first, second] = [await film(browser, "topics", part), await film(browser, "topics", part)];
  await browser.close();
  expect(first.length).toBeGreaterThan(30);
  expect(second.map((frame) => frame.toString("base64"))).toEqual(
    first.map((frame) => frame.toString("base64")),
  );
});
