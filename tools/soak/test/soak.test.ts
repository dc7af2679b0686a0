import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { type RunWith, test } from "testkit";
import { describe, expect, vi } from "vitest";
import { type Fault, faults, kinds, usual } from "../src/faults.ts";
import { Ledger } from "../src/ledger.ts";

vi.setConfig({ testTimeout: 300_000 });

describe("faults", () => {
  const deal = (seed: number, count: number) => {
    const dealer = faults(seed, usual);
    return Array.from({ length: count }, () => dealer.next().value);
  };
  const shown = (dealt: Fault[]) => dealt.map(({ kind, random }) => [kind, random(), random()]);

  test("are the same for the same seed, and others for another", () => {
    expect(shown(deal(7, 100))).toEqual(shown(deal(7, 100)));
    expect(shown(deal(7, 100))).not.toEqual(shown(deal(8, 100)));
  });

  test("are mixed alike in each thirty, in another order", () => {
    const kinds = deal(7, 60).map(({ kind }) => kind);
    const [first, second] = [kinds.slice(0, 30), kinds.slice(30)];
    expect(first.toSorted()).toEqual(usual.toSorted());
    expect(second.toSorted()).toEqual(usual.toSorted());
    expect(first).not.toEqual(second);
  });
});

describe("the ledger", () => {
  test("counts messages by their ids, and finds what was confirmed and then lost", () => {
    const ledger = new Ledger();
    for (const id of ["a-0", "a-1", "a-2", "a-3", "b-0", "b-5000"]) ledger.published(id);
    ledger.published("a-1");
    for (const id of ["a-0", "a-1", "a-3", "b-0", "b-5000", "b-5000"]) ledger.confirmed(id);
    // a-2 was never confirmed: it may or may not arrive. As many are received as were confirmed.
    for (const id of ["a-0", "a-2", "b-0", "b-0", "a-1"]) ledger.received(id);
    for (const id of ["a-3", "a-3"]) ledger.deadLettered(id);
    expect(ledger.figures()).toEqual({
      published: 6,
      confirmed: 5,
      received: 4,
      duplicates: 2,
      "dead-lettered": 1,
      lost: ["b-5000"],
    });
  });
});

describe("pnpm soak", () => {
  const soak = (runWith: RunWith, ...args: string[]) => {
    const mark = randomUUID();
    const terminal = runWith({ env: { SOAK_TEST: mark } }, "soak", ...args);
    const programs = () => processesWith(mark);
    return { terminal, programs };
  };

  // A cluster's leaders are killed by `pnpm soak --faults 30`, which is a step of its own in CI.
  test("survives a fault of each kind without a loss, and says what it saw", async ({ runWith }) => {
    const all = Object.keys(kinds).filter((kind) => kind !== "leader" && kind !== "theft");
    const { terminal, programs } = soak(
      runWith,
      ...["--kinds", all.join(), "--faults", `${all.length}`, "--seed", "5", "--within", "60"],
    );
    expect(await terminal.exit, terminal.lines.join("\n")).toEqual({ code: 0, signal: null });
    const { lines } = terminal;
    expect(lines[0]).toMatch(/^Seed 5: /);
    expect(lines.filter((line) => /^ +\d+ {2}\w.*: /.test(line))).toHaveLength(all.length);
    const figures = lines.join("\n");
    for (const kind of ["worker killed", "broker killed"])
      expect(figures).toMatch(new RegExp(`^ {2}${kind} +1 +\\d+\\.\\d\\d s$`, "m"));
    expect(figures).toMatch(/^ {2}message that ends connections +1 /m);
    for (const kind of ["queue full", "poison message", "memory alarm"])
      expect(figures).toMatch(new RegExp(`^ {2}${kind} +1 +no consumer$`, "m"));

    const count = (what: string) => {
      const [, digits = ""] = new RegExp(`^  ${what} +([\\d,]+)$`, "m").exec(figures) ?? [];
      return Number(digits.replaceAll(",", ""));
    };
    expect(count("confirmed")).toBeGreaterThan(100);
    expect(count("confirmed")).toBe(count("published"));
    expect(count("dead-lettered")).toBe(2);
    expect(count("received") + 2).toBe(count("published"));
    expect(count("lost")).toBe(0);
    for (const process of ["node-publisher", "node-consumer", "soak"])
      expect(figures).toMatch(new RegExp(`^ {2}${process} +RSS [\\d.]+ → [\\d.]+ MiB`, "m"));
    expect(programs()).toEqual([]);
  });

  test("finds a message that was stolen: exit code 1, and its id", async ({ runWith }) => {
    const { terminal } = soak(runWith, "--kinds", "theft", "--faults", "1", "--within", "60");
    expect(await terminal.exit, terminal.lines.join("\n")).toEqual({ code: 1, signal: null });
    expect(terminal.lines).toContainEqual(expect.stringMatching(/^ {2}lost +1$/));
    expect(terminal.lines).toContainEqual(expect.stringMatching(/^ {2}lost: node-publisher-\d+$/));
  });

  test("says who wasn't back in time: exit code 1", async ({ runWith }) => {
    // No program starts within 10 ms.
    const { terminal, programs } = soak(runWith, "--kinds", "worker", "--faults", "1", "--within", "0.01");
    expect(await terminal.exit, terminal.lines.join("\n")).toEqual({ code: 1, signal: null });
    expect(terminal.errors).toContainEqual(expect.stringMatching(/^node-\w+: .* in time/));
    expect(programs()).toEqual([]);
  });

  test("Ctrl-C ends it with the figures so far, twice without", async ({ runWith }) => {
    const { terminal, programs } = soak(runWith, "--kinds", "cut");
    await terminal.printed(/^ +3 {2}connection cut/, { within: 60_000 });
    terminal.press("^C");
    expect(await terminal.exit, terminal.lines.join("\n")).toEqual({ code: 130, signal: null });
    expect(terminal.lines).toContainEqual(expect.stringMatching(/^ {2}lost +0$/));
    expect(programs()).toEqual([]);

    const hasty = soak(runWith, "--kinds", "cut");
    await hasty.terminal.printed(/^ +1 {2}connection cut/, { within: 60_000 });
    hasty.terminal.press("^C");
    await hasty.terminal.printed(/^SIGINT/);
    hasty.terminal.press("^C");
    expect(await hasty.terminal.exit).toEqual({ code: 130, signal: null });
    await expect.poll(hasty.programs).toEqual([]);
  });

  test("turns down what makes no sense, and helps", async ({ run }) => {
    for (const args of [["--faults", "few"], ["--kinds", "flood"], ["more"]]) {
      const terminal = run("soak", ...args);
      expect(await terminal.exit).toEqual({ code: 2, signal: null });
      expect(terminal.errors.at(-1)).toMatch(/^Usage: pnpm soak /);
    }
    const terminal = run("soak", "--help");
    expect(await terminal.exit).toEqual({ code: 0, signal: null });
    expect(terminal.errors).toEqual([]);
    expect(terminal.lines[0]).toMatch(/^Usage: pnpm soak /);
    for (const [kind, { name }] of Object.entries(kinds))
      expect(terminal.lines).toContainEqual(expect.stringMatching(new RegExp(`^ {2}${kind} .*${name}$`)));
  });
});

/** The living processes in whose environment there is a text. */
function processesWith(text: string): string[] {
  const withEnvironment = process.platform === "linux" ? "axeww" : "axEww";
  const list = execFileSync("ps", [withEnvironment, "-o", "stat=,command="], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { PATH: process.env.PATH },
  });
  return list.split("\n").filter((line) => line.includes(text) && !line.startsWith("Z"));
}
