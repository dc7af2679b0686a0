import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBroker } from "broker";
import { exitInWords, openProgram, readCatalogue, type Terminal } from "stage";
import { expect, onTestFinished, test, vi } from "vitest";
import { Screen } from "../src/screen.ts";

const root = join(import.meta.dirname, "../../..");

function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Terminal {
  const { NO_COLOR, FORCE_COLOR, ...inherited } = process.env;
  const terminal = openProgram(process.execPath, ["--import", "tsx", program, ...args], {
    cwd: join(import.meta.dirname, ".."),
    env: { ...inherited, ...env },
  });
  onTestFinished(() => terminal.close());
  return terminal;
}

/** The tour of the fixture. */
const tour = (args: string[], env?: NodeJS.ProcessEnv) => run("test/programs/tour.ts", args, env);

/** What it showed on stdout, and its exit code. */
async function end(terminal: Terminal) {
  const exit = exitInWords(await terminal.exit);
  const { errors } = terminal;
  return { exit, errors, shown: terminal.lines.filter((line) => !errors.includes(line)) };
}

test("--list shows the chapters and patterns of the catalogue, in its order", async () => {
  const { shown, exit } = await end(tour(["--list"]));
  expect(shown).toEqual([
    "1. Basics",
    "  two         Comes first",
    "2. Routing",
    "  one         Comes second, see [two](examples/two)",
    "3. Faults",
    "  broken      Never",
    "  waiting     To be interrupted",
    "  unplayable  Never",
  ]);
  expect(exit).toBe("exit code 0");
});

test("a list that nobody reads to its end is no fault", async () => {
  const terminal = openProgram("sh", ["-c", `"${process.execPath}" --import tsx src/cli.ts --list | true`], {
    cwd: join(import.meta.dirname, ".."),
    env: process.env,
  });
  await terminal.exit;
  expect(terminal.lines).toEqual([]);
});

test("the project's own catalogue has every example, once", async () => {
  const { shown } = await end(run("src/cli.ts", ["--list"]));
  const listed = shown.filter((line) => line.startsWith("  ")).map((line) => line.trim().split(" ")[0]);
  expect(listed.toSorted()).toEqual(readdirSync(join(root, "examples")).toSorted());
});

test("a README without a catalogue is refused", () => {
  expect(() => readCatalogue(join(root, "CONTRIBUTING.md"))).toThrow(/CONTRIBUTING\.md has no table/);
});

test.each([
  ["without a number", "Basics"],
  ["with the number of another place", "2. Basics"],
])("a chapter %s is refused", (_, heading) => {
  const folder = mkdtempSync(join(tmpdir(), "tour-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "README.md");
  writeFileSync(path, `## The patterns\n\n| **${heading}** | First |\n| [one](examples/one) | First |\n`);
  expect(() => readCatalogue(path)).toThrow(`the row **${heading}** begins chapter 1: **1. Basics**.`);
});

test("plays patterns as they were asked for, labels each actor, and says what to try next", async () => {
  const { shown, exit } = await end(tour(["two", "one"], { TOUR_PNPM_HINT: "npm install --global pnpm" }));
  expect(shown).toEqual([
    "",
    "1. Basics",
    "",
    " two: the first  (1 of 2)",
    "A summary that is so long that it doesn't fit into a line of a hundred characters, so that it has to",
    "be wrapped.",
    "",
    "Run it",
    'echo │ $ echo " [x] Sent"',
    "echo │  [x] Sent",
    "",
    "✓ Every line as the page says.",
    "",
    "Break it",
    'echo │ $ echo "no"; exit 1',
    "echo │ no",
    "",
    "✓ Every line as the page says.",
    "",
    "2. Routing",
    "",
    " one: the second  (2 of 2)",
    "A short summary.",
    "",
    "Run it",
    "",
    "First this one.",
    'echo 1 │ $ echo " [*] Waiting 1"; exec sleep 600',
    "echo 1 │  [*] Waiting 1",
    "",
    "Then that one, which is the same program.",
    'echo 2 │ $ echo " [*] Waiting 2"; exec sleep 600',
    "echo 2 │  [*] Waiting 2",
    "",
    "At last one that asks.",
    'read   │ $ read -r name; echo "Hello $name"',
    "read   │ > Ada",
    "read   │ Hello Ada",
    "",
    "✓ Every line as the page says.",
    "",
    "✓ 2 patterns, 3 scenarios: all as their pages say.",
    "",
    "What to do next:",
    "  pnpm live      see each message on its way, in your browser",
    "  pnpm exercise  find the mistake in a program, and correct it",
    "  by hand        start a broker: docker compose up -d --wait, or pnpm broker",
    "                 and, in two more terminals:",
    '                   echo " [x] Sent"',
    "There is more: pnpm tour --all also plays 3 other patterns.",
    "Your shell doesn't find pnpm yet. This puts it there:",
    "  npm install --global pnpm",
  ]);
  expect(exit).toBe("exit code 0");
});

test("a difference is shown, the tour goes on, and exits with 1", async () => {
  const { shown, exit } = await end(tour(["broken", "two"]));
  const at = shown.indexOf("✗ Not what the page says (- the page, + the terminal):");
  expect(shown.slice(at + 1, at + 5)).toEqual([
    '  $ echo "this"; echo "that"',
    "  this",
    "- those",
    "+ that",
  ]);
  expect(shown.filter((line) => line === "✓ Every line as the page says.")).toHaveLength(3);
  expect(shown.at(-1)).toBe("1 of 4 scenarios were not as their pages say.");
  expect(exit).toBe("exit code 1");
});

test("by itself it plays the first two chapters, and each has a heading", async () => {
  const { shown, exit } = await end(tour([]));
  const titles = shown.filter((line) => /^\d\. | \(\d of \d\)$/.test(line));
  expect(titles).toEqual([
    "1. Basics",
    " two: the first  (1 of 2)",
    "2. Routing",
    " one: the second  (2 of 2)",
  ]);
  expect(shown).toContain("There is more: pnpm tour --all also plays 3 other patterns.");
  expect(exit).toBe("exit code 0");
});

test.each(["routing", "2"])("--group %s plays the patterns of that chapter", async (chapter) => {
  const { shown, exit } = await end(tour(["--group", chapter, "--group", "Routing"]));
  expect(shown).toContain(" one: the second ");
  expect(shown).not.toContain("2. Routing");
  expect(shown).toContain("✓ 1 pattern, 1 scenario: all as their pages say.");
  expect(exit).toBe("exit code 0");
});

test("--all plays all chapters", async () => {
  const { errors, shown } = await end(tour(["--all"]));
  // The last of them can't be read, which shows before anything starts.
  expect(errors).toEqual([expect.stringMatching(/unplayable\/README\.md:5/)]);
  expect(shown).toEqual([]);
});

test("colours come where they are wanted", async () => {
  const code = "\x1b[";
  const [plain, none, forced] = await Promise.all([
    end(tour(["two"])),
    end(tour(["two"], { NO_COLOR: "1" })),
    end(tour(["two"], { FORCE_COLOR: "1" })),
  ]);
  expect(plain.shown.join()).not.toContain(code);
  expect(none.shown.join()).not.toContain(code);
  expect(forced.shown.join()).toContain(`${code}36mecho │`);
});

test.each([
  ["an unknown pattern", ["three"], /^There is no pattern "three"\./, 2],
  ["an unknown chapter", ["--group", "three"], /^There is no chapter "three"\./, 2],
  ["an unknown option", ["--loud"], /--loud/, 2],
  ["a page that can't be played", ["unplayable"], /unplayable\/README\.md:5: .*"\$ "/, 1],
])("%s: a line on stderr", async (_, args, message, code) => {
  const { errors, shown, exit } = await end(tour(args));
  expect(errors.filter((line) => !line.startsWith("Usage: "))).toEqual([expect.stringMatching(message)]);
  expect(shown).toEqual([]);
  expect(exit).toBe(`exit code ${code}`);
});

test("--help says what there is, on stdout", async () => {
  const { errors, shown, exit } = await end(tour(["--help"]));
  expect(errors).toEqual([]);
  expect(shown[0]).toMatch(/^Usage: pnpm tour \[pattern\.\.\.\] /);
  expect(exit).toBe("exit code 0");
});

test.each([
  ["the broker at AMQP_URL", {}],
  ["a broker of its own", { AMQP_URL: "", RABBITMQ_MANAGEMENT_URL: "" }],
])("Ctrl-C with %s: exit code 130, and nothing stays behind", { timeout: 120_000 }, async (_, env) => {
  const folder = mkdtempSync(join(tmpdir(), "tour-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const terminal = tour(["waiting"], { ...env, SOCKET: join(folder, "socket") });
  await terminal.printed(/│ {2}\[\*\] Listening/, { within: 60_000 });
  const listener = await connected(connect(join(folder, "socket")));
  terminal.press("^C");
  expect(exitInWords(await terminal.exit)).toBe("exit code 130");
  // The system closes the socket of a process that has ended.
  await listener.closed;

  const [, url] = /Waiting (amqp:\S+)/.exec(terminal.lines.join("\n")) ?? [];
  const { hostname, port, pathname } = new URL(url as string);
  if ("AMQP_URL" in env) {
    const refused = new Promise((resolve) => connect(Number(port), hostname).on("error", resolve));
    expect(await refused).toMatchObject({ code: "ECONNREFUSED" });
  } else {
    const broker = await startBroker();
    await expect(broker.management("GET", `/vhosts${pathname}`)).rejects.toThrow("404");
  }
});

test("Ctrl-C while the broker starts: exit code 130", async () => {
  const terminal = tour(["two"], { AMQP_URL: "", RABBITMQ_MANAGEMENT_URL: "" });
  await terminal.until(() => terminal.errors.length > 0, 60_000);
  terminal.press("^C");
  const { exit, shown } = await end(terminal);
  expect(shown).toEqual([]);
  expect(exit).toBe("exit code 130");
});

test("on a terminal something moves when nothing has come for a second", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const written: string[] = [];
  const stream = {
    isTTY: true,
    columns: 80,
    hasColors: () => false,
    rows: 24,
    write: (text: string) => written.push(text),
  };
  const screen = new Screen(stream as unknown as NodeJS.WriteStream);
  screen.waiting();
  vi.advanceTimersByTime(900);
  screen.line("one");
  vi.advanceTimersByTime(2_000);
  screen.line("two");
  screen.done();
  vi.advanceTimersByTime(5_000);
  const erased = "\r\x1b[J";
  expect(written.join("")).toBe(`one\n… 1 s${erased}… 2 s${erased}two\n`);
});

async function connected(socket: ReturnType<typeof connect>) {
  await once(socket, "connect");
  const closed = new Promise<void>((resolve) => {
    socket.on("error", () => {}).on("close", () => resolve());
  });
  return { closed };
}
