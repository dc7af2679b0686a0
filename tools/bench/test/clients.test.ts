import { test } from "testkit";
import { test as bare, describe, expect } from "vitest";
import { Window } from "../src/clients/window.ts";
import { findNative, findPika } from "../src/native.ts";

test("bench clients compares all clients that are here, and says which aren't", async ({ run }) => {
  const bench = run("bench", "clients", "--quick");
  expect(await bench.exit).toEqual({ code: 0, signal: null });
  const printed = bench.lines.filter((line) => !bench.errors.includes(line));

  // amqplib divided by another client, in each of the four works
  const parts = (client: string) =>
    new RegExp(String.raw`^  \d+\.\d\d, \d+\.\d\d, \d+\.\d\d, \d+\.\d\d of ${client}$`);
  for (const client of ["rabbitmq-client", "amqp-client"])
    expect(printed).toContainEqual(expect.stringMatching(parts(client)));
  for (const [client, found] of [
    ["pika", await findPika()],
    ["C", await findNative()],
  ] as const) {
    if ("missing" in found) {
      expect(bench.errors).toContain(found.missing);
      expect(printed.join("\n")).toMatch(
        new RegExp(`^Not measured, since it isn't installed: .*${client}`, "m"),
      );
    }
    const compared = printed.filter((line) => parts(client).test(line));
    expect(compared).toHaveLength("missing" in found ? 0 : 1);
  }
  expect(printed.at(-1)).toMatch(/^Plot and page: file:.*\/clients\/index\.html$/);
  // ms; it starts 20 programs.
}, 180_000);

describe("window", () => {
  const settled = async (promise: Promise<unknown>) => {
    let done = false;
    promise.then(() => {
      done = true;
    });
    await new Promise(setImmediate);
    return done;
  };

  bare("has room below its size, and is empty at last", async () => {
    const window = new Window(2);
    const resolvers: (() => void)[] = [];
    const add = () => window.add(new Promise<void>((resolve) => resolvers.push(resolve)));
    add();
    expect(window.full).toBe(false);
    await window.room();
    add();
    expect(window.full).toBe(true);
    const room = window.room();
    expect(await settled(room)).toBe(false);
    resolvers.pop()?.();
    await room;
    expect(window.full).toBe(false);
    const empty = window.empty();
    expect(await settled(empty)).toBe(false);
    resolvers.pop()?.();
    await empty;
  });

  bare("fails as its promises do", async () => {
    const window = new Window(1);
    window.add(Promise.reject(new Error("refused")));
    await expect(window.room()).rejects.toThrow("refused");
    await expect(window.empty()).rejects.toThrow("refused");
  });
});
