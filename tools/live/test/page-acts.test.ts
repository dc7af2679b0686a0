import { describe, expect, test } from "vitest";
import { launchForTest } from "../browser/launch.ts";
import { type Learner, serveLearners } from "./learner.ts";

// What a learner does to programs, to the network and to the broker. Each time something real breaks.
const browser = await launchForTest();

describe.skipIf(!browser)("on the page", () => {
  const come = serveLearners(browser, { private: true });

  /** Opens a pattern, and runs the script that waits in it. */
  async function comeTo(pattern: string, script: string, words = ""): Promise<Learner> {
    const learner = await come();
    await learner.open(pattern);
    await learner.run(script, words);
    await expect
      .poll(() => learner.terminal(`${script} ${words}`.trim()).textContent())
      .toContain("Waiting for");
    return learner;
  }

  test("a connection is cut, and the message that was in hand comes again", { timeout: 60_000 }, async () => {
    const learner = await comeTo("work-queues", "worker");
    const worker = learner.terminal("worker");
    await learner.run("new-task", "A long task.....");
    await expect.poll(() => worker.textContent()).toContain("Received A long task");
    await learner.press("Cut worker's connection, as a network would");
    await learner.page.locator(".card .badge.warn", { hasText: "again" }).first().waitFor();
    await expect.poll(() => worker.textContent()).toContain("Connection lost");
    await expect.poll(() => worker.textContent()).toContain("(redelivered)");
    await expect
      .poll(() => learner.told())
      .toContain("worker is cut off with 1 unacknowledged message in hand.");
  });

  test("a consumer is paused: its message waits on the wire, and comes when it goes on", async () => {
    const learner = await comeTo("work-queues", "worker");
    await learner.press("Pause deliveries to worker");
    await learner.page.locator(".label.consume", { hasText: "⏸ paused" }).waitFor();
    await learner.run("new-task", "Task");
    await expect.poll(() => learner.told()).toContain("The exchange puts it into task_queue.");
    await expect.poll(() => learner.terminal("new-task").textContent()).toContain("Sent 'Task'");
    expect(await learner.terminal("worker").textContent()).not.toContain("Received");
    await learner.press("Resume deliveries to worker");
    await expect.poll(() => learner.terminal("worker").textContent()).toContain("Received Task");
    await expect.poll(() => learner.told()).toContain("delivers “Task” to worker.");
  });

  test("the broker is restarted, and what it had on disk is still there", { timeout: 120_000 }, async () => {
    const learner = await come();
    await learner.open("work-queues");
    await learner.run("new-task", "Survivor");
    await expect.poll(() => learner.terminal("new-task").textContent()).toContain("Sent 'Survivor'");
    await learner.press("Restart the broker");
    await expect
      .poll(() => learner.sentence.textContent(), { timeout: 60_000 })
      .toBe("The broker is up again.");
    await learner.run("worker", "");
    await expect.poll(() => learner.terminal("worker").textContent()).toContain("Received Survivor");
    await expect.poll(() => learner.told()).toContain("delivers “Survivor” to worker");
  });

  test("a line that is typed into a script goes to the other one", async () => {
    const learner = await come();
    await learner.open("chat");
    for (const [words, partner] of [
      ["Jean Pierre", "Pierre"],
      ["Pierre Jean", "Jean"],
    ] as const) {
      await learner.run("chat", words);
      await expect
        .poll(() => learner.terminal(`chat ${words}`).textContent())
        .toContain(`you are talking to ${partner}`);
    }
    const input = learner.page.getByLabel("Type into chat Jean Pierre");
    await input.fill("Is <b>anybody</b> there?");
    await input.press("Enter");
    await expect.poll(() => input.inputValue()).toBe("");
    await expect
      .poll(() => learner.terminal("chat Pierre Jean").textContent())
      .toContain("Jean: Is <b>anybody</b> there?");
    await expect
      .poll(() => learner.terminal("chat Jean Pierre").textContent())
      .toContain("✓ Is <b>anybody</b>");
    await expect
      .poll(() => learner.told())
      .toContain("to the default exchange with the routing key Pierre_queue.");
  });

  test("headers and properties are given by hand, and the preview goes by their types", async () => {
    const learner = await comeTo("headers", "sub", "weight=5");
    const { page } = learner;
    const preview = page.locator(".preview");
    await page.getByLabel("Headers, one a line").fill('weight: "5"');
    await expect.poll(() => preview.textContent()).toContain("No binding matches");
    await page.getByLabel("Headers, one a line").fill("weight: 5\nfragile: true");
    await expect.poll(() => preview.textContent()).toBe("✓ It would go to the queue of sub weight=5.");
    await page.getByText("Properties", { exact: true }).click();
    await page.getByLabel("Content type").fill("text/plain");
    await page.getByLabel("Priority").fill("3");
    await page.getByLabel("Body").fill("A piano");
    await learner.press("Publish");
    await expect
      .poll(() => learner.terminal("sub weight=5").textContent())
      .toContain("fragile=true weight=5: 'A piano'");
    await page.getByLabel("Headers, one a line").fill("weight: 6");
    await page.getByLabel("Mandatory: comes back if no queue takes it").check();
    await learner.press("Publish");
    await expect
      .poll(() => learner.told())
      .toContain("The broker returns “A piano” to this page: 312 NO_ROUTE.");
  });
});
