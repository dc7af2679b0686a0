import fc from "fast-check";
import { manners, scenarios, test } from "testkit";
import { expect } from "vitest";
import { declareLogs, exchange } from "../src/topology.ts";

scenarios();

const conflict = (channel: Parameters<typeof declareLogs>[0]) =>
  channel.assertExchange(exchange, "topic", { durable: true });
manners({
  pub: { args: ["kern.info", "hello"], wrong: [["k".repeat(256)]], conflict },
  sub: { args: ["#"], wrong: [[], ["k".repeat(256)]], conflict, stays: true },
});

/** What the broker should do: `*` matches one word, `#` any number of words. */
function matches([first, ...patterns]: string[], words: string[]): boolean {
  if (first === undefined) return words.length === 0;
  if (first === "#") return [...words, ""].some((_, skipped) => matches(patterns, words.slice(skipped)));
  return words.length > 0 && (first === "*" || first === words[0]) && matches(patterns, words.slice(1));
}

/** A key without a dot is one word. The empty key has no words. */
const wordsOf = (key: string) => (key === "" ? [] : key.split("."));

test("any pattern gets exactly the keys that it matches", { timeout: 120_000 }, async ({ channel }) => {
  // Few words, so that keys and patterns often match. One is empty: it stands between two dots.
  const word = fc.constantFrom("a", "b", "cc", "");
  const key = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join("."));
  const pattern = fc
    .array(fc.oneof(word, fc.constantFrom("*", "#")), { minLength: 1, maxLength: 4 })
    // RabbitMQ 4.3 allows at most two #.
    .filter((words) => words.filter((word) => word === "#").length <= 2)
    .map((words) => words.join("."));
  await declareLogs(channel);

  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(pattern, { maxLength: 3 }),
      fc.array(key, { maxLength: 8 }),
      async (patterns, keys) => {
        const { queue } = await channel.assertQueue("", { exclusive: true });
        for (const pattern of patterns) await channel.bindQueue(queue, exchange, pattern);
        for (const key of keys) channel.publish(exchange, key, Buffer.from(key));
        await channel.waitForConfirms();

        const delivered: string[] = [];
        for (
          let message = await channel.get(queue, { noAck: true });
          message;
          message = await channel.get(queue, { noAck: true })
        )
          delivered.push(message.content.toString());
        await channel.deleteQueue(queue);

        // A key that matches several patterns comes once.
        const expected = keys.filter((key) =>
          patterns.some((pattern) => matches(wordsOf(pattern), wordsOf(key))),
        );
        expect(delivered).toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
});

for (const [patterns, keys] of [
  [["kern.*"], ["kern.critical", "kern.info"]],
  [
    ["*.critical", "kern.*"],
    ["kern.critical", "cron.critical", "kern.info"],
  ],
  [["#"], ["kern.critical", "cron.critical", "kern.info", "cron"]],
] as const)
  test(`sub ${patterns.join(" ")} prints each matching message once`, async ({ run }) => {
    const subscriber = run("sub", ...patterns);
    await subscriber.printed(/Waiting/);
    for (const key of ["kern.critical", "cron.critical", "kern.info", "cron"])
      await run("pub", key, "good", "news").exit;
    await subscriber.printed(` [x] ${keys.at(-1)}:'good news'`);
    subscriber.press("^C");
    await subscriber.exit;
    expect(subscriber.lines.slice(1)).toEqual(keys.map((key) => ` [x] ${key}:'good news'`));
  });

test("pub without arguments sends what the official program sends", async ({ run }) => {
  const subscriber = run("sub", "anonymous.info");
  await subscriber.printed(/Waiting/);
  await run("pub").exit;
  await subscriber.printed(" [x] anonymous.info:'Hello World!'");
});

test("a subscriber's queue is deleted when the subscriber ends", async ({ management, virtualHost, run }) => {
  const subscriber = run("sub", "this.test.only");
  await subscriber.printed(/Waiting/);
  const bindings = await management<{ routing_key: string; destination: string }[]>(
    "GET",
    `/exchanges/${virtualHost.name}/${exchange}/bindings/source`,
  );
  const queue = bindings.find(({ routing_key }) => routing_key === "this.test.only")?.destination;
  const queues = async () => {
    const found = await management<{ name: string }[]>("GET", `/queues/${virtualHost.name}`);
    return found.map(({ name }) => name);
  };
  // What is not acknowledged must not pile up in it.
  await expect
    .poll(() => management("GET", `/consumers/${virtualHost.name}`))
    .toContainEqual(
      expect.objectContaining({ queue: expect.objectContaining({ name: queue }), ack_required: false }),
    );
  expect(await queues()).toContain(queue);
  subscriber.press("^C");
  await subscriber.exit;
  await expect.poll(queues).not.toContain(queue);
});
