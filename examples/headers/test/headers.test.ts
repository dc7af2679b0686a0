import type { Channel } from "amqplib";
import fc from "fast-check";
import { manners, scenarios, test } from "testkit";
import { describe, expect } from "vitest";
import { type Headers, readHeaders, readValue, show, type Value } from "../src/headers.ts";
import { declareShipments, exchange } from "../src/topology.ts";

scenarios();

const conflict = (channel: Channel) => channel.assertExchange(exchange, "headers", { durable: false });
manners({
  pub: { args: ["destination=New York"], wrong: [[], ["air"], ["--text", "Ten crates"]], conflict },
  sub: { args: ["destination=New York"], wrong: [[], ["air"], ["--any"]], conflict, stays: true },
});

const READY = " [*] Waiting for shipments. To exit press CTRL+C";

test("four departments get the shipments of their city and method, and no others", async ({ run }) => {
  const kinds = ["New York", "Los Angeles"].flatMap((city) =>
    ["air", "sea"].map((method) => [`destination=${city}`, `delivery_method=${method}`]),
  );
  const departments = kinds.map((kind) => run("sub", ...kind));
  for (const department of departments) await department.printed(READY);
  // Boston has no department.
  for (const kind of [["destination=Boston", "delivery_method=air"], ["delivery_method=air"], ...kinds])
    expect(await run("pub", ...kind).exit).toMatchObject({ code: 0 });

  for (const [index, department] of departments.entries()) {
    await department.printed(/A parcel/);
    department.press("^C");
    expect(await department.exit).toEqual({ code: 0, signal: null });
    const [destination, method] = kinds[index]?.map((word) => word.split("=")[1]) ?? [];
    expect(department.lines).toEqual([
      READY,
      ` [x] delivery_method=${method} destination="${destination}": 'A parcel'`,
    ]);
  }
});

/** What RabbitMQ should do. */
function matches({ "x-match": match, ...wanted }: Headers, headers: Headers): boolean {
  const counted = Object.entries(wanted).filter(
    ([name]) => /-with-x$/.test(`${match}`) || !name.startsWith("x-"),
  );
  const equal = ([name, value]: [string, Value]) => headers[name] === value;
  return `${match}`.startsWith("any") ? counted.some(equal) : counted.every(equal);
}

test("any binding gets exactly the messages that match, whatever their routing keys", {
  timeout: 120_000,
}, async ({ channel }) => {
  // Few names and values, so that they often match. Among them are the number 5 and the string "5", and an x- header.
  const value = fc.constantFrom<Value>(5, "5", true, "true", 0.5, "air");
  const headers = fc.dictionary(fc.constantFrom("a", "b", "x-a"), value, {
    maxKeys: 3,
    noNullPrototype: true,
  });
  const match = fc.constantFrom(
    {},
    ...["all", "any", "all-with-x", "any-with-x"].map((it) => ({ "x-match": it })),
  );
  const binding = fc.tuple(headers, match).map(([wanted, how]): Headers => ({ ...wanted, ...how }));
  const message = fc.record({ headers, routingKey: fc.constantFrom("", "a", "5") });
  await declareShipments(channel);

  await fc.assert(
    fc.asyncProperty(binding, fc.array(message, { maxLength: 8 }), async (binding, messages) => {
      const { queue } = await channel.assertQueue("", { exclusive: true });
      await channel.bindQueue(queue, exchange, "another key", binding);
      for (const { headers, routingKey } of messages)
        channel.publish(exchange, routingKey, Buffer.from(show(headers)), { headers });
      await channel.waitForConfirms();

      const delivered: string[] = [];
      for (let next = await take(channel, queue); next; next = await take(channel, queue))
        delivered.push(next);
      await channel.deleteQueue(queue);

      const expected = messages.map(({ headers }) => headers).filter((headers) => matches(binding, headers));
      expect(delivered).toEqual(expected.map(show));
    }),
    { numRuns: 150 },
  );
});

test("5 and 5.0 are the same up to RabbitMQ 3.12, and differ from 3.13 on", async ({ broker, channel }) => {
  await declareShipments(channel);
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "", { weight: 5 });
  // This is how a Java program encodes 5.0. In JavaScript 5.0 is 5, so amqplib must be told.
  channel.publish(exchange, "", Buffer.from("5.0"), { headers: { weight: { "!": "double", value: 5 } } });
  channel.publish(exchange, "", Buffer.from("5"), { headers: { weight: 5 } });
  await channel.waitForConfirms();
  const [major = 0, minor = 0] = broker.version.split(".").map(Number);
  const areDifferent = major > 3 || minor >= 13;
  expect(await take(channel, queue)).toBe(areDifferent ? "5" : "5.0");
});

for (const [flags, match] of [
  [[], "all"],
  [["--any"], "any"],
  [["--with-x"], "all-with-x"],
  [["--any", "--with-x"], "any-with-x"],
] as const)
  test(`sub ${[...flags, ""].join(" ")}binds with x-match=${match}, and with typed values`, async ({
    management,
    virtualHost,
    run,
    onTestFinished,
  }) => {
    const subscriber = run("sub", "weight=5", "fragile=true", 'floor="5"', "destination=New York", ...flags);
    await subscriber.printed(READY);
    // The next test expects no binding but its own.
    onTestFinished(async () => {
      subscriber.press("^C");
      await subscriber.exit;
      await expect.poll(bindings).toEqual([]);
    });
    const bindings = () =>
      management<unknown[]>("GET", `/exchanges/${virtualHost.name}/${exchange}/bindings/source`);
    expect(await bindings()).toMatchObject([
      {
        routing_key: "",
        destination: expect.stringMatching(/^amq\.gen-/),
        arguments: { "x-match": match, weight: 5, fragile: true, floor: "5", destination: "New York" },
      },
    ]);
    expect(await management("GET", `/queues/${virtualHost.name}`)).toMatchObject([{ exclusive: true }]);
  });

test("sub acknowledges nothing", async ({ management, virtualHost, run }) => {
  await run("sub", "a=b").printed(READY);
  const consumers = () => management<unknown[]>("GET", `/consumers/${virtualHost.name}`);
  await expect.poll(consumers, { timeout: 15_000 }).toMatchObject([{ ack_required: false }]);
});

test("the text can be anything", async ({ run }) => {
  const subscriber = run("sub", "a=b");
  await subscriber.printed(READY);
  for (const text of [["--text", "c=d -- -1"], ["--text=--any"], ["--text", "-1"], ["--text="], []])
    await run("pub", "a=b", ...text).exit;
  await subscriber.printed(" [x] a=b: 'A parcel'");
  expect(subscriber.lines.slice(1, -1)).toEqual([
    " [x] a=b: 'c=d -- -1'",
    " [x] a=b: '--any'",
    " [x] a=b: '-1'",
    " [x] a=b: ''",
  ]);
});

test("hostile bodies and headers are shown, not obeyed, and none is lost", async ({ channel, run }) => {
  const sender = run("pub", "\x1b[2J=\x07", "--text", "\x1b[2J");
  await sender.exit;
  expect(sender.lines).toEqual([String.raw` [x] Sent \x1b[2J="\u0007": '\x1b[2J'`]);

  const subscriber = run("sub", "to=me");
  await subscriber.printed(READY);
  const publish = (body: Buffer, headers: object = {}) =>
    channel.publish(exchange, "", body, { headers: { to: "me", ...headers } });
  publish(Buffer.from("\x1b[2J\nand\x07"), { "\x1b[2J": "\u202etxt", "a b": "x, y='z'" });
  publish(Buffer.from([0xff, 0xfe]), { list: [1, { deep: null }], none: null });
  publish(Buffer.alloc(2 ** 20, "m"));
  publish(Buffer.from("the last"));
  await channel.waitForConfirms();
  await subscriber.printed(" [x] to=me: 'the last'");
  // A difference of a megabyte would be unreadable.
  const lines = subscriber.lines.map((line) => line.replace(/m{100,}/, (run) => `m × ${run.length}`));
  expect(lines.slice(1)).toEqual([
    String.raw` [x] \x1b[2J="\u202etxt" a b="x, y='z'" to=me: '\x1b[2J\nand\x07'`,
    ` [x] list=[1,{"deep":null}] none=null to=me: '\ufffd\ufffd'`,
    ` [x] to=me: 'm × ${2 ** 20}'`,
    " [x] to=me: 'the last'",
  ]);
});

test("as many headers as amqplib can encode get through, more are refused in a sentence", async ({ run }) => {
  // Short names and empty values have the most overhead.
  const many = (count: number) => Array.from({ length: count }, (_, n) => `${n}=`);
  const subscriber = run("sub", "0=");
  await subscriber.printed(READY);
  const full = ["0=", `a=${"m".repeat(64_900)}`];
  for (const words of [many(5_000), full]) {
    expect(await run("pub", ...words).exit).toMatchObject({ code: 0 });
    const crowded = run("sub", ...words);
    await crowded.printed(READY);
  }
  await subscriber.printed(/: 'A parcel'$/, { times: 2 });
  for (const words of [many(8_000), [...full, "b=", `c=${"m".repeat(100)}`]])
    for (const script of ["pub", "sub"]) {
      const refused = run(script, ...words);
      expect(await refused.exit).toMatchObject({ code: 2 });
      expect(refused.errors[0]).toBe("All headers together have at most 65000 bytes.");
    }
});

describe("headers on the command line", () => {
  for (const [word, value] of [
    ["5", 5],
    ["-5", -5],
    ["0.5", 0.5],
    ["-1125899906842623", -1125899906842623],
    ["1125899906842624", "1125899906842624"],
    ["1125899906842624.5", "1125899906842624.5"],
    ["1.5e400", "1.5e400"],
    ["007", "007"],
    ["true", true],
    ["false", false],
    ["True", "True"],
    ["null", "null"],
    ['"5"', "5"],
    ['"true"', "true"],
    ["[1]", "[1]"],
    ["New York", "New York"],
    ["", ""],
  ] as const)
    test(`${word || "(nothing)"} is the ${typeof value} ${value}`, () => {
      expect(readValue(word)).toBe(value);
    });

  const refuse = (reason: string): never => {
    throw new Error(reason);
  };

  test("can contain an equals sign", () => {
    expect(Object.entries(readHeaders(["a=b=c", "__proto__=d"], refuse))).toEqual([
      ["a", "b=c"],
      ["__proto__", "d"],
    ]);
  });

  for (const [words, reason] of [
    [["a=b", "air"], '"air" is not a header. Write key=value.'],
    [["=air"], '"=air" is not a header. Write key=value.'],
    [["\x1b[2J"], String.raw`"\x1b[2J" is not a header. Write key=value.`],
    [["x-match=any"], "x-match is not a header. It sets how a binding matches: see --any."],
    [["a=b", "a=c"], 'A header has one value, but "a" is given twice.'],
    [[`${"ü".repeat(128)}=b`], "A header's name has at most 255 bytes."],
  ] as const)
    test(`refused: ${reason}`, () => {
      expect(() => readHeaders([...words], refuse)).toThrow(reason);
    });

  test("are printed as they are typed", () => {
    expect(show({ b: "New York", a: "air", c: 5, d: "5", e: true, f: "true", g: "", h: "Köln" })).toBe(
      'a=air b="New York" c=5 d="5" e=true f="true" g="" h=Köln',
    );
    expect(show({})).toBe("(no headers)");
    expect(show(undefined)).toBe("(no headers)");
  });
});

async function take(channel: Channel, queue: string): Promise<string | undefined> {
  const message = await channel.get(queue, { noAck: true });
  return message ? message.content.toString() : undefined;
}
