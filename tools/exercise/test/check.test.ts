import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Broker, startBroker } from "broker";
import { beforeAll, expect, test } from "vitest";
import {
  type Check,
  check,
  type Edit,
  type Exercise,
  Miss,
  type Program,
  sourcesOf,
  type WrongAnswer,
  writeSources,
} from "../src/index.ts";
import { newRepository } from "./learner.ts";

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
});

const SUB = "src/sub.ts";

/** Makes an exercise of topics, and checks what the learner begins with. */
function tryOut(
  given: Edit[],
  run: (check: Check) => Promise<void>,
  { patience = 2, signal }: { patience?: number; signal?: AbortSignal } = {},
) {
  const root = newRepository();
  const wrong: WrongAnswer = { why: "", edits: [], on: "given", says: /./ };
  const exercise: Exercise = {
    from: "topics",
    files: [SUB],
    given,
    check: run,
    says: /./,
    wrong: [wrong, wrong, wrong],
  };
  const folder = join(root, "exercises/mine/topics-1");
  writeSources(sourcesOf(root, exercise, "given"), folder);
  return check(exercise, { root, folder, broker, patience, signal });
}

/** What a learner is told. */
async function missOf(...args: Parameters<typeof tryOut>): Promise<string> {
  const verdict = await tryOut(...args);
  return verdict.passed ? "(nothing: it passed)" : verdict.miss;
}

const declare = "await declareLogs(channel);";

test("a check that throws nothing passes, and has all that it needs", async () => {
  const verdict = await tryOut([], async ({ run, runWith, channel, amqpUrl, virtualHost, wireTo, until }) => {
    const wire = await wireTo(amqpUrl);
    const sub = runWith({ amqpUrl: wire.amqpUrl }, "sub", "#");
    await sub.ready();
    const pub = run("pub", "kern.info", "news");
    expect(await pub.ends("pub still runs.")).toEqual({ code: 0, signal: null });
    expect(await sub.prints(/kern\.info/, "It didn't come.")).toEqual([" [x] kern.info:'news'"]);
    await channel.checkExchange("topic_logs");
    sub.press("^C");
    await sub.ends("sub still runs.");
    const queues = `/queues/${virtualHost.name}`;
    await until(
      async () => (await broker.management<unknown[]>("GET", queues)).length === 0,
      "Its queue is still there.",
    );
  });
  expect(verdict).toEqual({ passed: true });
});

test("what a program printed instead follows what was missed", async () => {
  const miss = await missOf(
    [],
    async ({ run, channel }) => {
      const sub = run("sub", "#");
      await sub.ready();
      channel.publish("topic_logs", "kern", Buffer.from("\x1b[2J"));
      await sub.prints(/ kern:/, "The first didn't come.");
      await sub.prints("never", "The second didn't come.");
    },
    { patience: 0.5 },
  );
  expect(miss).toBe(
    "The second didn't come. It printed: [*] Waiting for logs. To exit press CTRL+C · [x] kern:'\\x1b[2J'",
  );
});

test("a program that fails is quoted, with its place in the source and without a stack", async () => {
  const failing = { file: SUB, find: declare, replace: `${declare}\n  patterns.nothing.more();` };
  expect(await missOf([failing], ({ run }) => run("sub", "#").ready())).toMatch(
    /^sub did not get ready\. sub ended with: TypeError: Cannot read properties of undefined \(reading 'more'\) \(src\/sub\.ts:8\)$/,
  );
});

test("a program that the broker refuses is quoted", async () => {
  const miss = await missOf([], async ({ run, channel }) => {
    await channel.assertExchange("topic_logs", "fanout", { durable: false });
    await run("pub").ends("pub still runs.");
  });
  expect(miss).toMatch(/^pub ended with: The exchange "topic_logs" exists with another type/);
});

test("a program that turns its arguments down is quoted without its usage", async () => {
  expect(await missOf([], async ({ run }) => void (await run("sub").ends("")))).toBe(
    "sub ended with: sub needs at least one <pattern>.",
  );
});

test.each([
  ["what can't be read", "await await (;", /^src\/sub\.ts, line 7: Unexpected ";"$/],
  [
    "an import that leads nowhere",
    'await import("./nowhere.ts");',
    /^src\/sub\.ts, line 7: Could not resolve/,
  ],
])("%s is told in a line", async (_, replace, miss) => {
  expect(await missOf([{ file: SUB, find: declare, replace }], async () => {})).toMatch(miss);
});

test("a check that takes too long tells what it waited for", async () => {
  const miss = await missOf(
    [],
    async ({ run }) => {
      const sub = run("sub", "#");
      await sub.prints("never", "", { within: 60_000 });
    },
    { patience: 0.05 },
  );
  expect(miss).toBe("The check took longer than 15 s. It waited for sub to print never.");
});

test("what fails in the check itself is no stack either", async () => {
  const lost = async ({ channel }: Check) => void (await channel.checkQueue("nowhere"));
  expect(await missOf([], lost)).toMatch(/^The check could not go on: .*NOT_FOUND - no queue 'nowhere'/);
  const typing = async ({ run }: Check) => void run("sup");
  expect(await missOf([], typing)).toBe('The check could not go on: examples/topics has no script "sup".');
});

test("programs and the virtual host end with the check", async () => {
  const programs: Program[] = [];
  let name = "";
  await tryOut([], async ({ run, virtualHost }) => {
    name = virtualHost.name;
    programs.push(run("sub", "#"));
    throw new Miss("That's it.");
  });
  expect(programs[0]?.ended).toEqual({ code: null, signal: "SIGKILL" });
  await expect(broker.management("GET", `/vhosts/${name}`)).rejects.toThrow();
});

test("a check can be ended from outside", async () => {
  const stopping = new AbortController();
  const verdict = tryOut(
    [],
    async ({ run }) => {
      const sub = run("sub", "#");
      await sub.ready();
      stopping.abort(new Error("enough"));
      await setTimeout(60_000, undefined, { ref: false });
    },
    { signal: stopping.signal },
  );
  await expect(verdict).rejects.toThrow("enough");
});

test("an edit that doesn't fit the example is an error that names the piece", () => {
  const none = { file: SUB, find: "no such text", replace: "" };
  expect(() => tryOut([none], async () => {})).toThrow(
    "no longer fits examples/topics/src/sub.ts. This must occur in it once, and occurs 0 times:\nno such text",
  );
  const twice = { file: SUB, find: "channel", replace: "" };
  expect(() => tryOut([twice], async () => {})).toThrow(/and occurs \d+ times:\nchannel$/);
  const elsewhere = { file: "src/none.ts", find: "channel", replace: "" };
  expect(() => tryOut([elsewhere], async () => {})).toThrow("examples/topics/src/none.ts");
});
