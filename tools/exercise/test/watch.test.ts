import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startBroker } from "broker";
import { expect, test } from "vitest";
import { newLearner } from "./learner.ts";

const SUB = "topics-1/src/sub.ts";
const WORKER = "work-queues-1/src/worker.ts";

test("the learner saves wrong answers and then the right one, and goes on", async () => {
  const learner = newLearner();
  const terminal = learner.sitDown("topics-1");
  await terminal.shows(/^1\.2 topics-1: All that a facility logs +0 of 2 solved$/m);
  await terminal.shows(/^Your copy: {2}exercises\/mine\/topics-1\/src\/sub\.ts$/m);
  await terminal.shows(/✗ The subscriber of kern did not get the message with the key kern:/);

  learner.edit(SUB, ".*`", ".*.*`");
  await terminal.shows(/✗ The subscriber of kern did not get the message with the key kern\.critical:/);

  learner.edit(SUB, ".*.*`", ".#`);;");
  await terminal.shows(/✗ src\/sub\.ts, line 10: Unexpected "\)"/);

  learner.editByRenaming(SUB, ".#`);;", ".#`+''");
  await terminal.shows(/✓ Solved\./);
  await terminal.shows(/1 of 2 solved/);
  await terminal.shows(/^- .*bindQueue\(queue, exchange, `\$\{facility\}\.#`\+''\);$/m);
  await terminal.shows(/^\+ .*bindQueue\(queue, exchange, `\$\{facility\}\.#`\);$/m);
  await terminal.shows(/Enter goes on to 1\.1 work-queues-1/);

  terminal.press("\r");
  await terminal.shows(/^1\.1 work-queues-1: /m);
  await terminal.shows(/✗ The worker acknowledged the task Report before it was done/);
  terminal.press("q");
  expect(await terminal.ended).toBe(0);
  await terminal.shows(/^1 of 2 solved$/m);
});

test("it begins with the first that isn't solved, and ends when all are", async () => {
  const learner = newLearner();
  const first = learner.sitDown();
  await first.shows(/^1\.1 work-queues-1: .* 0 of 2 solved$/m);
  await first.shows(/✗/);
  const solution = readFileSync(join(learner.root, "examples/work-queues/src/worker.ts"), "utf8");
  writeFileSync(join(learner.root, "exercises/mine", WORKER), solution);
  await first.shows(/✓ Solved\.[\s\S]*Yours is the same as our solution\./);
  await first.shows(/^- +channel\.ack\(delivery\);$[\s\S]*^\+ +channel\.ack\(delivery\);$/m);
  first.press("q");
  expect(await first.ended).toBe(0);

  const second = learner.sitDown();
  await second.shows(/^1\.2 topics-1: .* 1 of 2 solved$/m);
  await second.shows(/✗/);
  learner.edit(SUB, ".*`", ".#`");
  await second.shows(/✓ Solved\./);
  await second.shows(/Enter ends it: all are solved/);
  second.press("\r");
  expect(await second.ended).toBe(0);
  expect((await learner.run()).stdout).toMatch(/^All 2 exercises are solved\./);
});

test("hints come one by one", async () => {
  const terminal = newLearner().sitDown("topics-1");
  await terminal.shows(/✗/);
  for (const number of [1, 2, 3]) {
    terminal.press("h");
    await terminal.shows(new RegExp(`Hint ${number} of 3`));
    await terminal.hides(new RegExp(`Hint ${number + 1} of 3`));
  }
  terminal.press("h");
  await terminal.shows(/There are no more hints\./);
  terminal.press("n");
  await terminal.shows(/^1\.1 work-queues-1: /m);
  await terminal.hides(/Hint/);
  terminal.press("q");
  expect(await terminal.ended).toBe(0);
});

test("the list shows what is solved, and plays what is chosen", async () => {
  const learner = newLearner();
  const terminal = learner.sitDown("topics-1");
  await terminal.shows(/✗/);
  learner.edit(SUB, ".*`", ".#`");
  await terminal.shows(/✓ Solved\./);
  terminal.press("l");
  await terminal.shows(/^ {4}1\.1 +work-queues-1 .*\n> ✓ 1\.2 +topics-1 /m);
  terminal.press("\x1b[A");
  await terminal.shows(/^> {3}1\.1 +work-queues-1 .*\n {2}✓ 1\.2 +topics-1 /m);
  terminal.press("\r");
  await terminal.shows(/^1\.1 work-queues-1: .* 1 of 2 solved$/m);
  terminal.press("q");
  expect(await terminal.ended).toBe(0);
});

test("r begins again only when it is confirmed, and keeps what was written", async () => {
  const learner = newLearner();
  const terminal = learner.sitDown("topics-1");
  await terminal.shows(/✗/);
  const given = learner.read(SUB);
  learner.edit(SUB, ".*`", ".*.*`");
  await terminal.shows(/✗ .*kern\.critical:/);

  terminal.press("r");
  await terminal.shows(/Begin topics-1 again\? What you wrote is kept\./);
  terminal.press("n");
  await terminal.hides(/Begin topics-1 again\?/);
  expect(learner.read(SUB)).not.toBe(given);

  terminal.press("r");
  await terminal.shows(/Begin topics-1 again\?/);
  terminal.press("y");
  await terminal.shows(/What you wrote is in exercises\/mine\/topics-1\.1\./);
  await terminal.shows(/✗ .* key kern:/);
  expect(learner.read(SUB)).toBe(given);
  expect(learner.read("topics-1.1/src/sub.ts")).toContain(".*.*`");
  terminal.press("q");
  expect(await terminal.ended).toBe(0);
});

test("a copy whose example has changed since is said to be old", async () => {
  const learner = newLearner();
  await learner.run("topics-1");
  const pub = join(learner.root, "examples/topics/src/pub.ts");
  writeFileSync(pub, `${readFileSync(pub, "utf8")}// More.\n`);
  const terminal = learner.sitDown("topics-1");
  await terminal.shows(/✗[\s\S]*The example has changed since you began\./);
  terminal.press("r");
  await terminal.shows(/Begin topics-1 again\?/);
  terminal.press("y");
  await terminal.hides(/The example has changed|Begin topics-1 again/);
  expect(learner.read("topics-1/src/pub.ts")).toContain("// More.");
  // Nothing was written in it, so there was nothing to keep.
  expect(existsSync(join(learner.root, "exercises/mine/topics-1.1"))).toBe(false);
  terminal.press("q");
  expect(await terminal.ended).toBe(0);
});

test("s starts the live page, which ends with the exercise", async () => {
  const terminal = newLearner().sitDown("topics-1");
  await terminal.shows(/✗/);
  terminal.press("s");
  await terminal.shows(/See topics live, as the example has it:\s+http:\S+/);
  const [, address = ""] = /live, as the example has it:\s+(http:\S+)/.exec(await terminal.visible()) ?? [];
  // It redirects to the page, with a cookie.
  expect((await fetch(address, { redirect: "manual" })).status).toBeLessThan(400);
  terminal.press("q");
  expect(await terminal.ended).toBe(0);
  await expect(fetch(address)).rejects.toThrow();
});

test("Ctrl-C ends it in the middle of a check, with the learner's programs", async () => {
  const learner = newLearner();
  const proof = join(learner.root, "worker.json");
  const worker = join(learner.root, "examples/work-queues/src/worker.ts");
  // The learner's program writes down its process and its virtual host: other tests use the same broker. It never gets
  // ready, so that its check goes on until Ctrl-C.
  writeFileSync(
    worker,
    `import { renameSync, writeFileSync } from "node:fs";
import { setInterval } from "node:timers/promises";
const { pid, env } = process;
writeFileSync("${proof}.new", JSON.stringify({ pid, url: env.AMQP_URL }));
renameSync("${proof}.new", "${proof}");
for await (const _ of setInterval(1000));
${readFileSync(worker, "utf8")}`,
  );
  const terminal = learner.sitDown("work-queues-1");
  await terminal.shows(/Checking …/);
  await expect.poll(() => existsSync(proof)).toBe(true);
  const { pid, url } = JSON.parse(readFileSync(proof, "utf8"));
  const broker = await startBroker();
  const virtualHost = `/vhosts${new URL(url).pathname}`;
  // Both throw when there is no such thing.
  await broker.management("GET", virtualHost);
  process.kill(pid, 0);
  terminal.press("\x03");
  expect(await terminal.ended).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  await expect(broker.management("GET", virtualHost)).rejects.toThrow("404");
});
