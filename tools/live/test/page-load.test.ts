import { describe, expect, test } from "vitest";
import { launchForTest } from "../browser/launch.ts";
import { serveLearners } from "./learner.ts";

const browser = await launchForTest();

describe.skipIf(!browser)("under load", () => {
  const come = serveLearners(browser);

  test("of 50,000 messages the page shows rates, and answers meanwhile", { timeout: 300_000 }, async () => {
    const learner = await come();
    const { page } = learner;
    await learner.open("publisher-confirms");
    await learner.run("sub", "");
    const sub = learner.terminal("sub");
    await expect.poll(() => sub.textContent()).toContain("Waiting for messages");
    await learner.run("pub", "async --count 50000");
    const rates = page.locator(".rate", { hasText: /^[\d,]+\/s$/ });
    await rates.first().waitFor();
    // From the program to the exchange, to the queue, and to the subscriber.
    await expect.poll(() => rates.count()).toBe(3);
    let answers = 0;
    while (!(await sub.textContent())?.includes("All 50000 messages")) {
      await page.getByRole("button", { name: /^confirms/ }).click();
      await page.locator(".object dt", { hasText: "messages ready" }).waitFor();
      await learner.look("Log");
      await page.locator(".log li", { hasText: "More messages than an eye can follow" }).first().waitFor();
      answers++;
    }
    expect(answers).toBeGreaterThan(0);
    // It is calm again, and the picture goes on with single messages.
    await expect.poll(() => rates.count()).toBe(0);
    await learner.run("pub", "individual --count 1");
    await expect.poll(() => learner.told()).toContain("confirms delivers “Message 1 of 1” to sub.");
    // It may also show some of the 50,000, which came before the page turned to rates.
    const shown = ["sub", expect.stringContaining("Message 1")];
    await expect.poll(() => learner.had()).toEqual([expect.arrayContaining(shown)]);
  });

  test("a long queue has some cards, a number, and its next message at hand", {
    timeout: 240_000,
  }, async () => {
    const learner = await come();
    const { page } = learner;
    await learner.open("work-queues");
    await learner.choose("Speed", "20");
    for (let task = 1; task <= 30; task++) await learner.run("new-task", `Task ${task}`);
    const queue = page.getByRole("button", { name: /^task_queue/ });
    await expect.poll(() => queue.textContent()).toContain("30 messages");
    // The last one may still be on its way.
    await expect.poll(() => page.locator(".card:not(.ghost)").count()).toBeLessThanOrEqual(24);
    await learner.run("worker", "");
    // With prefetch 1, the broker writes each acknowledgement to its disk before it delivers the next task.
    await expect
      .poll(() => learner.terminal("worker").textContent(), { timeout: 90_000 })
      .toContain("Received Task 30");
    await expect
      .poll(() => learner.told())
      .toContain("worker acknowledges “Task 30”, and task_queue forgets it.");
    await expect.poll(() => page.locator(".card").count()).toBe(0);
    await expect.poll(() => queue.textContent()).not.toContain("message");
  });
});
