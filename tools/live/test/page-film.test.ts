import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startBroker } from "broker";
import { expect, test } from "vitest";
import { launchForTest } from "../browser/launch.ts";
import { fromLines, record, recordingOf, shapeOf } from "../film/record.ts";
import { film } from "../film/studio.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const recording = fromLines(readFileSync(recordingOf(root, "topics"), "utf8"));

test("the film in the README shows what happens today", async () => {
  const broker = await startBroker();
  try {
    expect(shapeOf(await record(root, "topics", 0, broker))).toEqual(shapeOf(recording));
  } finally {
    await broker.stop();
  }
});

const browser = await launchForTest();

test.skipIf(!browser)("a film is the same each time", async () => {
  if (!browser) return;
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
