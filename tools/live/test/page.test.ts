import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { launchForTest } from "../browser/launch.ts";
import { serveLearners } from "./learner.ts";

// All of them do what a learner does, in a real browser, with a real broker behind it.
const browser = await launchForTest();

describe.skipIf(!browser)("the page", () => {
  const come = serveLearners(browser);

  test("topics: each subscriber gets what its pattern lets through", async () => {
    const learner = await come();
    await learner.open("topics");
    await learner.choose("Speed", "20");
    await learner.press(/^▶ Play$/);
    await expect
      .poll(() => learner.had())
      .toEqual([
        ['sub "kern.*"', "kern.critical", "kern.info"],
        ['sub "*.critical"', "kern.critical"],
        ['sub "#"', "kern.critical", "kern.info", "cron"],
      ]);
    await learner.press("End ▸");
    await expect.poll(() => learner.sentence.textContent()).toContain("exactly what the lesson shows");
  });

  test("a link leads to a scenario, in which a message that no binding matches is dropped", async () => {
    const learner = await come();
    await learner.open("topics#break-it-forget-the-quotes");
    await learner.press(/^▶ Play$/);
    const told = "No binding of topic_logs matches kern.critical: “Lost” is dropped.";
    await expect.poll(() => learner.sentence.textContent()).toBe(told);
    await learner.page.locator(".card .badge.bad", { hasText: "dropped" }).waitFor();
    await expect.poll(() => learner.told()).toContain(told);
  });

  test("a step opens one terminal, and a page that is loaded anew goes on where it was", async () => {
    const learner = await come();
    await learner.open("topics");
    const consumers = learner.page.locator(".node.consumer");
    await learner.press("Step ▸");
    await learner.page.locator(".narration", { hasText: "The first subscriber" }).waitFor();
    await expect.poll(() => consumers.count()).toBe(0);
    await learner.press("Step ▸");
    await learner.page.locator(".narration", { hasText: "The second wants" }).waitFor();
    await expect.poll(() => consumers.count()).toBe(1);
    await learner.page.reload();
    await learner.page.locator(".narration", { hasText: "The second wants" }).waitFor();
    await expect.poll(() => consumers.count()).toBe(1);
    await expect.poll(() => learner.terminal('sub "kern.*"').textContent()).toContain("Waiting for logs");
    await learner.press("Step ▸");
    await expect.poll(() => consumers.count()).toBe(2);
  });

  test("a worker is killed, and its task goes back to the queue and to the other worker", async () => {
    const learner = await come();
    await learner.open("work-queues");
    await learner.run("worker", "");
    await expect.poll(() => learner.terminal("worker").textContent()).toContain("Waiting for messages");
    await learner.run("new-task", "A long task.........");
    const ghost = learner.page.locator(".card.ghost");
    await ghost.waitFor();
    await learner.run("worker", "");
    await expect.poll(() => learner.terminal("worker 2").textContent()).toContain("Waiting for messages");
    await learner.press("Kill worker 1, as kill -9 does");
    await learner.page.locator(".card .badge.warn", { hasText: "again" }).first().waitFor();
    await expect.poll(() => learner.terminal("worker 2").textContent()).toContain("(redelivered)");
    await expect
      .poll(() => learner.told())
      .toMatch(/worker 1's connection is lost: “A long task\.+” goes back to its place in task_queue\./);
    await expect
      .poll(() => learner.told())
      .toMatch(/delivers “A long task\.+” to worker 2, marked as redelivered\./);
  });

  test("a message published by hand goes where the preview says", async () => {
    const learner = await come();
    await learner.open("topics");
    await learner.run("sub", '"kern.*"');
    await expect.poll(() => learner.terminal('sub "kern.*"').textContent()).toContain("Waiting for logs");
    await learner.choose("Exchange", "topic_logs");
    await learner.page.getByLabel("Routing key").fill("cron");
    const preview = learner.page.locator(".preview");
    await expect.poll(() => preview.textContent()).toContain("No binding matches");
    await learner.page.getByLabel("Routing key").fill("kern.info");
    await expect.poll(() => preview.textContent()).toBe('✓ It would go to the queue of sub "kern.*".');
    await learner.page.getByLabel("Body").fill("<b>by hand</b>");
    await learner.press("Publish");
    await expect
      .poll(() => learner.terminal('sub "kern.*"').textContent())
      .toContain("kern.info:'<b>by hand</b>'");
    expect(await learner.told()).toContain("this page publishes “<b>by hand</b>” to topic_logs");
  });

  test("message by message: the wire holds a publish until it is let go", async () => {
    const learner = await come();
    await learner.open("hello");
    await learner.page.getByLabel("Message by message").check();
    await learner.run("send", "");
    await learner.page.locator(".card.held", { hasText: "publish held" }).waitFor();
    const queued = learner.page.locator(".card:not(.held)");
    expect(await queued.count()).toBe(0);
    await learner.press(/^Let go ▸ publish by send/);
    await queued.waitFor();
    await learner.page.getByLabel("Message by message").uncheck();
  });

  test("two pages show the same, and follow one another", async () => {
    const one = await come();
    const other = await come();
    await one.open("topics");
    await other.open("topics");
    await one.run("sub", '"#"');
    for (const learner of [one, other])
      await expect.poll(() => learner.terminal('sub "#"').textContent()).toContain("Waiting for logs");
    await one.look("Lesson");
    await other.open("hello");
    await expect.poll(() => one.page.url()).toMatch(/\/hello$/);
    await one.page.locator(".lesson h1", { hasText: "hello" }).waitFor();
  });

  test("an object that is clicked says what it is", async () => {
    const learner = await come();
    await learner.open("topics");
    await learner.run("sub", '"kern.*"');
    await learner.page.getByRole("button", { name: "topic_logs topic" }).click();
    await learner.page.locator(".object pre", { hasText: "rabbitmqctl" }).waitFor();
    await learner.page.locator(".picture .label.binding", { hasText: "kern.*" }).click();
    await learner.page.locator(".object dd", { hasText: "kern.*" }).waitFor();
  });

  test("the picture grows and shrinks, by buttons and by keys", async () => {
    const learner = await come();
    await learner.open("topics");
    const picture = learner.page.locator(".picture svg");
    const width = async () => Math.floor((await picture.boundingBox())?.width ?? 0);
    const before = await width();
    await learner.press("Larger");
    await expect.poll(width).toBeGreaterThan(before);
    await learner.page.keyboard.press("-");
    await learner.page.keyboard.press("-");
    await expect.poll(width).toBeLessThan(before);
    await learner.press("Fit");
    await expect.poll(width).toBe(before);
    // What is typed is no shortcut.
    await learner.look("Try it");
    await learner.page.getByLabel("Arguments").pressSequentially("--");
    expect(await width()).toBe(before);
  });

  test.for([
    { width: 360, colorScheme: "light" },
    { width: 390, colorScheme: "dark" },
    { width: 1440, colorScheme: "light" },
    { width: 2560, colorScheme: "dark" },
  ] as const)(
    "at $width pixels, $colorScheme, nothing is cut off and axe-core finds nothing",
    { timeout: 180_000 },
    async (look) => {
      const { width, colorScheme } = look;
      const learner = await come({ viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" });
      const violations = async () => {
        await learner.page.evaluate(axe.source);
        const found: string = await learner.page.evaluate(
          "axe.run().then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => html.slice(0, 120) + failureSummary)])))",
        );
        return JSON.parse(found);
      };
      const overflow = () => learner.page.evaluate("document.documentElement.scrollWidth - innerWidth");
      await learner.open("");
      await learner.page.getByRole("link", { name: /^topics/ }).waitFor();
      expect(await violations()).toEqual([]);
      expect(await overflow()).toBeLessThanOrEqual(0);
      await learner.open("topics");
      await learner.choose("Speed", "20");
      await learner.press(/^▶ Play$/);
      await expect.poll(async () => (await learner.had())[2], { timeout: 30_000 }).toContain("cron");
      for (const panel of ["Lesson", "Source", "Try it", "Log"]) {
        await learner.look(panel);
        expect(await violations(), panel).toEqual([]);
        expect(await overflow(), panel).toBeLessThanOrEqual(0);
      }
    },
  );
});
