import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openProgram } from "stage";
import { expect, onTestFinished, test, vi } from "vitest";
import { repository, section, takeSeat } from "./seat.ts";

const ENTER = "\r";
const CTRL_C = "\x03";

const say = (words: string) => `echo "${words}"\n${words}`;
const wait = (words: string) => `echo " [*] Waiting ${words}"; exec sleep 600\n [*] Waiting ${words}`;

const one = `# one: the first\n\nA summary.\n\n${section("Run it", say("one 1"), say("one 2"), say("one 3"))}`;
const two = `# two: the second\n\nA summary.\n\n${section("Run it", say("two 1"), say("two 2"))}`;

test("stops before each step, says what comes next, and goes on with Enter", async () => {
  const { seat, press, asks, all } = takeSeat();
  const page = `# one: the first\n\nA summary.\n\n${section("Run it", wait("1"), wait("2"), say("Done"))}`;
  const code = repository({ one: page, two }).tour(seat);
  await asks('echo " [*] Waiting 1"; exec sleep 600 opens a terminal (step 1 of 3).');
  expect(await all()).toEqual([
    "",
    " one: the first  (1 of 2)",
    "A summary.",
    "",
    "Run it",
    "",
    'Next: echo " [*] Waiting 1"; exec sleep 600 opens a terminal (step 1 of 3).',
    "Enter goes on · n next pattern · b back · s script · a play on · q quit",
  ]);
  press(ENTER);
  await asks('echo " [*] Waiting 2"; exec sleep 600 opens a second terminal (step 2 of 3).');
  expect((await all()).at(-1)).toBe("Enter goes on · ? shows the other keys");
  press(ENTER);
  await asks('echo "Done" runs to its end (step 3 of 3).');
  press(ENTER);
  await asks("two: the second (2 of 2)");
  expect((await all()).slice(-7)).toEqual([
    'echo   │ $ echo "Done"',
    "echo   │ Done",
    "",
    "✓ Every line as the page says.",
    "",
    "Next: two: the second (2 of 2)",
    "Enter goes on · ? shows the other keys",
  ]);
  press(ENTER);
  await asks('echo "two 1" runs to its end (step 1 of 2).');
  press(ENTER);
  await asks('echo "two 2" runs to its end (step 2 of 2).');
  press(ENTER);
  expect(await code).toBe(0);
  expect((await all()).join("\n")).toContain("✓ 2 patterns, 2 scenarios: all as their pages say.\n");
});

test("n goes to the next pattern, without playing the rest of this one", async () => {
  const { seat, press, asks, all } = takeSeat();
  const code = repository({ one, two }).tour(seat);
  await asks('echo "one 1"');
  press(ENTER);
  await asks('echo "one 2"');
  press("n");
  await asks('echo "two 1"');
  press("n");
  expect(await code).toBe(0);
  const shown = (await all()).join("\n");
  expect(shown).not.toMatch(/│ (one 2|two)/);
  expect(shown).not.toContain("✓");
  expect(shown).toContain("pnpm exercise");
});

test("b plays the page again in a new virtual host, up to the step before", async () => {
  const { seat, press, asks, all } = takeSeat();
  const page = `# one: the first\n\nA summary.\n\n${section("Run it", "echo $AMQP_URL\n…", say("one 2"), say("one 3"))}`;
  const code = repository({ one: page, two }).tour(seat);
  const plays = async () => (await all()).filter((line) => line.startsWith("echo │ amqp://"));
  await asks("echo $AMQP_URL");
  press("b");
  await expect.poll(all).toContain("This is the first step.");
  press(ENTER);
  await asks('echo "one 2"');
  press(ENTER);
  await asks('echo "one 3"');
  press("b");
  await asks('echo "one 2" runs to its end (step 2 of 3).');
  expect(await all()).toContain(
    "A broker can't be rewound. So one plays again from its start, up to step 2, in a",
  );
  expect(await plays()).toHaveLength(2);
  expect(new Set(await plays()).size).toBe(2);
  // From the first step of a pattern it goes to the one before, and from behind a pattern to its last step.
  press("n");
  await asks('echo "two 1"');
  press("b");
  await asks("echo $AMQP_URL");
  press("n");
  await asks('echo "two 1"');
  press(ENTER);
  await asks('echo "two 2"');
  press("q");
  expect(await code).toBe(0);
});

test("after a pattern, b goes to its last step", async () => {
  const { seat, press, asks } = takeSeat();
  const code = repository({ one, two }).tour(seat);
  for (const step of ["one 1", "one 2", "one 3"]) {
    await asks(`echo "${step}"`);
    press(ENTER);
  }
  await asks("two: the second");
  press("b");
  await asks('echo "one 3" runs to its end (step 3 of 3).');
  press("q");
  expect(await code).toBe(0);
});

test("s shows the script that is about to run, a page at a time", async () => {
  const { seat, press, asks, visible, all } = takeSeat();
  const source = Array.from({ length: 40 }, (_, index) => `// line ${index + 1}`);
  const page = `# one: the first\n\nA summary.\n\n${section("Run it", "true pnpm --filter one say", say("no script"))}`;
  const code = repository(
    { one: page },
    {
      "examples/one/package.json": JSON.stringify({ scripts: { say: "node --import tsx src/say.ts" } }),
      "examples/one/src/say.ts": `${source.join("\n")}\n`,
    },
  ).tour(seat);
  await asks("true pnpm --filter one say");
  press("s");
  await expect.poll(async () => (await visible()).at(-1)).toMatch(/^\d+ more lines · Enter goes on/);
  const seen = (await visible()).filter((line) => /^\/\/ line \d+$/.test(line));
  expect(seen).toEqual(source.slice(0, seen.length));
  expect(seen.length).toBeGreaterThan(15);
  expect(await visible()).toContain("examples/one/src/say.ts");
  press(ENTER);
  // The second page begins where the first ended, and all of it is visible.
  await asks("true pnpm --filter one say");
  expect(await all()).toEqual(expect.arrayContaining(source));
  press("s");
  await expect.poll(async () => (await visible()).at(-1)).toMatch(/more lines/);
  press("x");
  await asks("true pnpm --filter one say");
  press(ENTER);
  await asks('echo "no script"');
  press("s");
  await expect.poll(all).toContain("This step runs none of the example's scripts.");
  press("q");
  expect(await code).toBe(0);
});

test("a plays on without stopping, until a key is pressed", async () => {
  const { seat, press, asks, all } = takeSeat();
  const slow = "until [ -e go ]; do sleep 0.1; done; echo gone\ngone";
  const page = `# one: the first\n\nA summary.\n\n${section("Run it", say("one 1"), slow, say("one 3"))}`;
  const { root, tour } = repository({ one: page, two });
  const code = tour(seat);
  await asks('echo "one 1"');
  press("a");
  await expect.poll(all).toContain("echo  │ one 1");
  await expect.poll(all).toContain("Any key stops before the next step · q quit");
  await expect.poll(async () => (await all()).join("\n")).toContain("$ until");
  press("x");
  await vi.waitFor(async () =>
    expect(await all()).not.toContain("Any key stops before the next step · q quit"),
  );
  writeFileSync(join(root, "go"), "");
  await asks('echo "one 3"');
  press("a");
  expect(await code).toBe(0);
  expect(await all()).toContain("echo │ two 2");
});

test("any other key shows the keys, and what was pressed while a step played doesn't count", async () => {
  const { seat, press, asks, all } = takeSeat();
  const slow = "until [ -e go ]; do sleep 0.1; done; echo gone\ngone";
  const page = `# one: the first\n\nA summary.\n\n${section("Run it", slow, ..."01234".split("").map(say))}`;
  const { root, tour } = repository({ one: page });
  const code = tour(seat);
  await asks("until");
  press(ENTER);
  await expect.poll(async () => (await all()).join("\n")).toContain("│ $ until");
  press(ENTER + ENTER);
  writeFileSync(join(root, "go"), "");
  for (const [index, key] of ["?", "x", "\x1b[A", "7"].entries()) {
    await asks(`echo "${index}"`);
    expect((await all()).at(-1)).toBe("Enter goes on · ? shows the other keys");
    press(key);
    await expect
      .poll(async () => (await all()).at(-1))
      .toBe("Enter goes on · n next pattern · b back · s script · a play on · q quit");
    press(ENTER);
  }
  await asks('echo "4"');
  press("q");
  expect(await code).toBe(0);
});

test("q leaves at once, and --continue goes on there", async () => {
  const first = takeSeat();
  const { root, tour } = repository({ zero: one, one, two });
  const left = tour(first.seat, "one", "two");
  await first.asks('echo "one 1"');
  first.press(ENTER);
  await first.asks('echo "one 2"');
  first.press("q");
  expect(await left).toBe(0);
  expect((await first.all()).at(-1)).toBe("The tour goes on here: pnpm tour --continue");
  expect(first.setRawMode.mock.lastCall).toEqual([false]);

  const second = takeSeat();
  const code = tour(second.seat, "--continue");
  await second.asks('echo "one 2" runs to its end (step 2 of 3).');
  expect(await second.all()).toEqual(expect.arrayContaining([" one: the first  (1 of 2)", "echo │ one 1"]));
  second.press("a");
  expect(await code).toBe(0);
  expect(existsSync(join(root, ".tour.json"))).toBe(false);

  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => errors.mockRestore());
  expect(await tour(takeSeat().seat, "--continue")).toBe(2);
  expect(errors.mock.lastCall?.[0]).toMatch(/^No tour was left before its end\.\n/);
  expect(await tour(takeSeat().seat, "--continue", "one")).toBe(2);
});

test("a bookmark that makes no sense is none", async () => {
  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => errors.mockRestore());
  for (const bookmark of [
    "",
    "{}",
    '{"patterns":["gone"],"pattern":"gone","step":0}',
    '{"patterns":["one"],"pattern":"one","step":-1}',
  ])
    expect(await repository({ one }, { ".tour.json": bookmark }).tour(takeSeat().seat, "--continue")).toBe(2);
});

test("Ctrl-C ends the tour and its terminals, and the terminal takes lines again", async () => {
  const { seat, press, asks, all, setRawMode } = takeSeat();
  const page = `# one: the first\n\nA summary.\n\n${section("Run it", `echo " [*] Waiting $$"; exec sleep 600\n [*] Waiting …`, say("one 2"))}`;
  const code = repository({ one: page }).tour(seat);
  await asks("echo");
  press(ENTER);
  await asks('echo "one 2"');
  expect(setRawMode.mock.calls).toEqual([[true]]);
  const [, pid] = /\[\*\] Waiting (\d+)$/m.exec((await all()).join("\n")) ?? [];
  press(CTRL_C);
  expect(await code).toBe(130);
  expect(setRawMode.mock.calls).toEqual([[true], [false]]);
  expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
});

test.each([
  [80, true],
  [70, false],
])("in %i columns, two terminals that wait stand side by side: %s", async (columns, expected) => {
  const { seat, press, asks, all } = takeSeat({ columns });
  const listen = (name: string) =>
    `echo " [*] Waiting"; until [ -e go ]; do sleep 0.1; done; echo "${name} has got a message"; exec sleep 600\n [*] Waiting\n${name} has got a message`;
  const page = `# one: the first\n\nA summary.\n\n${section("Run it", listen("left"), listen("right"), "touch go")}`;
  const code = repository({ one: page }).tour(seat);
  await asks("echo");
  press("a");
  expect(await code).toBe(0);
  const shown = (await all()).join("\n");
  const columnsShown = /^echo 1 +│ echo 2\nleft has got a message +│ right has got a message$/m.test(shown);
  const linesShown =
    /^echo 1 │ left has got a message$/m.test(shown) && /^echo 2 │ right has got a message$/m.test(shown);
  expect([columnsShown, linesShown]).toEqual([expected, !expected]);
  // Before, only one of them had printed anything.
  expect(shown).toMatch(/^echo 2 │ {2}\[\*\] Waiting$/m);
});

test("in 80 x 24, nothing scrolls away between two stops", async () => {
  const { seat, press, asks, visible } = takeSeat();
  const long = "A paragraph that goes on and on. ".repeat(12);
  const lines = Array.from({ length: 10 }, (_, index) => `line ${index + 1}`);
  const command = `seq -f "line %g" 10\n${lines.join("\n")}`;
  const page = `# one: the first\n\n${long}\n\n${section("Run it", command)}${section("Break it", say("one 2")).replace("```", `${long}\n\n\`\`\``)}`;
  const code = repository({ one: page, two }).tour(seat);
  await asks("seq");
  expect((await visible()).join("\n")).toContain("one: the first");
  press(ENTER);
  // There is no room for the next section.
  await asks("Break it");
  expect(await visible()).toEqual(
    expect.arrayContaining([expect.stringContaining("$ seq"), "seq │ line 10"]),
  );
  press(ENTER);
  await asks('echo "one 2"');
  expect(await visible()).toContain("Break it");
  press("q");
  expect(await code).toBe(0);
});

/** util-linux has a `script` that runs a command on a terminal of its own. */
const hasTerminals = spawnSync("script", ["--version"]).stdout?.includes("util-linux") ?? false;

test.skipIf(!hasTerminals).each([
  ["q", "q", 0],
  ["Ctrl-C", CTRL_C, 130],
  ["SIGTERM", undefined, 143],
])("on a real terminal, %s leaves it as it was", async (_, key, code) => {
  const { root } = repository({ one });
  const tour = `"${process.execPath}" --import tsx test/programs/tour.ts`;
  const command = `stty cols 80 rows 24; stty -g > "$TOUR_ROOT/before"; sh -c 'echo $$ > "$TOUR_ROOT/pid"; exec ${tour}'; echo $? > "$TOUR_ROOT/code"; stty -g > "$TOUR_ROOT/after"`;
  const terminal = openProgram("script", ["-qec", command, "/dev/null"], {
    cwd: join(import.meta.dirname, ".."),
    env: { ...process.env, TOUR_ROOT: root },
  });
  onTestFinished(() => terminal.close());
  const read = (file: string) => readFileSync(join(root, file), "utf8").trim();
  await terminal.until(() => terminal.unfinished.includes("Enter goes on"), 30_000);
  if (key) terminal.type(key);
  else process.kill(Number(read("pid")), "SIGTERM");
  await terminal.exit;
  expect(read("after")).toBe(read("before"));
  expect(read("code")).toBe(String(code));
});
