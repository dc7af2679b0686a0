import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Performance, type PlayOptions, play, type StageEvent } from "../src/play.ts";
import { readReadme, type Scenario } from "../src/readme.ts";
import { death, readmeFile, temporaryFolder } from "./helpers.ts";

const listen = "node test/programs/listener.mjs";
const say = "node test/programs/say.mjs";

function scenario(...blocks: string[][]): Scenario {
  const fences = blocks.flatMap((lines) => ["```console", ...lines, "```", ""]);
  return readReadme(readmeFile("## Run it", "", ...fences)).scenarios[0] as Scenario;
}

/** ms; enough for a program to start on a loaded machine. */
const PATIENCE = 5_000;

type Options = Partial<PlayOptions> & { socket?: string };

function perform(
  it: Scenario,
  { env, socket = join(temporaryFolder(), "socket"), ...options }: Options = {},
) {
  return play(it, {
    cwd: process.cwd(),
    env: { ...process.env, SOCKET: socket, ...env },
    patience: PATIENCE,
    ...options,
  });
}

const differences = (performances: Performance[]) => performances.map(({ difference }) => difference);

test("what is ready stays open while the others run, and nothing differs", async () => {
  const performances = await perform(
    scenario(
      [`$ ${listen}`, " [*] Waiting", " [x] Received one", " [x] Received t…"],
      [`$ ${say} one`, " [x] Sent one"],
      [`$ ${say} two`, " [x] Sent two"],
    ),
  );
  expect(differences(performances)).toEqual([undefined, undefined, undefined]);
});

test("what a command stands for may be run in its place", async () => {
  const [performance] = await perform(scenario(["$ say one", "one"]), {
    commandOf: ({ command }) => command.replace("say", "echo"),
  });
  expect(performance).toMatchObject({ shown: ["one"], difference: undefined });
});

test("a line that doesn't come is a difference", async () => {
  const performances = await perform(scenario([`$ ${listen}`, " [*] Waiting", " [x] Received one"]), {
    patience: 3_000,
  });
  expect(differences(performances)).toEqual([
    [`  $ ${listen}`, "   [*] Waiting", "-  [x] Received one", "Lines were missing after 3 s."],
  ]);
});

test("a line too many is a difference, also in an open terminal", async () => {
  const performances = await perform(scenario([`$ ${listen}`, " [*] Waiting"], [`$ ${say} one`]));
  expect(differences(performances)).toEqual([
    [`  $ ${listen}`, "   [*] Waiting", "+  [x] Received one"],
    [`  $ ${say} one`, "+  [x] Sent one"],
  ]);
});

test("beforeClose sees the terminals open", async () => {
  const socket = join(temporaryFolder(), "socket");
  let dead: (() => Promise<void>) | undefined;
  await perform(scenario([`$ ${listen}`, " [*] Waiting"]), {
    socket,
    async beforeClose() {
      dead = await death(socket);
    },
  });
  expect(dead).toBeDefined();
  await dead?.();
});

test("each block has an environment of its own, and opens when beforeOpen is done", async () => {
  const heard: string[] = [];
  const it = scenario(["$ echo $NAME", "Ada"], ["$ echo $NAME", "Grace"]);
  const performances = await play(it, {
    cwd: process.cwd(),
    env: (block) => ({ ...process.env, NAME: block === it.blocks[0] ? "Ada" : "Grace" }),
    patience: PATIENCE,
    async beforeOpen(block) {
      heard.push(`before ${block.lines[0]?.text}`);
      await setImmediate();
      heard.push("done");
    },
    on: ({ type, block }) => type === "opened" && heard.push(`opened ${block.lines[0]?.text}`),
  });
  expect(differences(performances)).toEqual([undefined, undefined]);
  expect(heard).toEqual(["before Ada", "done", "opened Ada", "before Grace", "done", "opened Grace"]);
});

test("a terminal that has been opened can be killed", async () => {
  const performances = await perform(scenario([`$ ${listen}`, " [*] Waiting", "never"]), {
    on: (event) => {
      if (event.type === "opened")
        void event.terminal.printed(" [*] Waiting").then(() => event.terminal.kill());
    },
  });
  expect(differences(performances)).toEqual([
    [`  $ ${listen}`, "   [*] Waiting", "- never", "It ended before Ctrl-C, with signal SIGKILL."],
  ]);
});

test("types a line when the prompt is there", async () => {
  const performances = await perform(
    scenario(["$ node test/programs/ask.mjs", "Name?", "> Ada", "Hello Ada", "> Grace", "Hello …"]),
  );
  expect(differences(performances)).toEqual([undefined]);
});

test("types at once where nothing comes before", async () => {
  const performances = await perform(scenario(['$ read -r name; echo "Hello $name"', "> Ada", "Hello Ada"]));
  expect(differences(performances)).toEqual([undefined]);
});

test("doesn't type what the program never asked for", async () => {
  const [performance] = await perform(scenario(["$ node test/programs/ask.mjs", "Your name?", "> Ada"]), {
    patience: 3_000,
  });
  expect(performance?.shown).toEqual(["Name?"]);
  expect(performance?.difference).toContain("It neither ended nor got ready within 3 s.");
});

test("a key ends a program in the middle; the next one opens when it has ended", async () => {
  const performances = await perform(
    scenario(
      [`$ LINGER=500 ${listen}`, " [*] Waiting", "^C"],
      [`$ LINGER=500 ${listen}`, " [*] Waiting", " [x] Received one", "^C"],
      [`$ ${say} one`, " [x] Sent one"],
      [`$ ${listen}`, " [*] Waiting", "…", " [x] Received die", "^\\"],
      [`$ ${say} two`, " [x] Sent two"],
      [`$ ${say} three`, " [x] Sent three"],
      [`$ ${say} die`, " [x] Sent die"],
      [`$ rm "$SOCKET"; ${listen}`, " [*] Waiting"],
    ),
  );
  expect(differences(performances)).toEqual(Array(8).fill(undefined));
});

test("an expected failure is no difference, and pnpm's words about it are no lines", async () => {
  const env = { PATH: `${join(process.cwd(), "test/programs")}:${process.env.PATH}` };
  const performances = await perform(scenario(["$ pnpm --filter x y", "Which one?"]), { env });
  expect(differences(performances)).toEqual([undefined]);
});

test("the last terminal is closed first: it may need what was opened before it", async () => {
  const [listener] = await perform(
    scenario(
      [`$ ${listen}`, " [*] Waiting", "…"],
      [`$ trap '${say} bye; exit 0' INT; echo " [*] Waiting"; read never`, " [*] Waiting", "…"],
    ),
  );
  expect(listener?.shown).toEqual([" [*] Waiting", " [x] Received bye"]);
});

test("a program that Ctrl-C doesn't end is killed, and that is a difference", async () => {
  const socket = join(temporaryFolder(), "socket");
  let dead: (() => Promise<void>) | undefined;
  const performances = await perform(scenario([`$ ${listen}`, " [*] Waiting"]), {
    socket,
    env: { EXIT: "never" },
    async beforeClose() {
      dead = await death(socket);
    },
  });
  expect(differences(performances)).toEqual([
    [`  $ ${listen}`, "   [*] Waiting", "It did not end within 5 s of Ctrl-C."],
  ]);
  await dead?.();
});

test("a program that Ctrl-C makes fail is a difference", async () => {
  const performances = await perform(scenario([`$ exec ${listen}`, " [*] Waiting"]), { env: { EXIT: "3" } });
  expect(differences(performances)).toEqual([
    [`  $ exec ${listen}`, "   [*] Waiting", "After Ctrl-C it ended with exit code 3."],
  ]);
});

test("a program that is ready, but doesn't stay, is a difference", async () => {
  let resolve = () => {};
  const exited = new Promise<void>((it) => {
    resolve = it;
  });
  const performances = await perform(scenario(['$ echo " [*] Waiting"; exit 4', " [*] Waiting"]), {
    on: ({ type }) => type === "exited" && resolve(),
    beforeClose: () => exited,
  });
  expect(differences(performances)).toEqual([
    ['  $ echo " [*] Waiting"; exit 4', "   [*] Waiting", "It ended before Ctrl-C, with exit code 4."],
  ]);
});

test("aborted, it rejects with the reason and leaves nothing running", async () => {
  const socket = join(temporaryFolder(), "socket");
  const stop = new AbortController();
  let dead: (() => Promise<void>) | undefined;
  const playing = perform(scenario([`$ ${listen}`, " [*] Waiting", " [x] Received one"], ["$ sleep 60"]), {
    socket,
    env: { EXIT: "never" },
    signal: stop.signal,
    async on({ type, block }: StageEvent) {
      if (type !== "opened" || block.command !== "sleep 60") return;
      dead = await death(socket);
      stop.abort(new Error("enough"));
    },
  });
  await expect(playing).rejects.toThrow("enough");
  await dead?.();
});

test("tells what happens, in order", async () => {
  const path = readmeFile(
    ...[
      "## Run it",
      "",
      "Listen.",
      "",
      "```console",
      `$ ${listen}`,
      " [*] Waiting",
      " [x] Received hi",
      "^C",
      "```",
    ],
    ...["", "Now", "speak.", "", "```console", `$ ${say} hi`, " [x] Sent hi", "```"],
  );
  const events: StageEvent[] = [];
  await perform(readReadme(path).scenarios[0] as Scenario, { on: (event: StageEvent) => events.push(event) });
  const told = (command: string) =>
    events
      .filter(({ block }) => block.command === command)
      .map((event) => Object.values({ ...event, block: undefined, terminal: undefined }).filter(Boolean));
  expect(told(listen)).toEqual([
    ["narration", "Listen."],
    ["opened"],
    ["line", " [*] Waiting"],
    ["line", " [x] Received hi"],
    ["pressed", "^C"],
    ["exited"],
  ]);
  expect(told(`${say} hi`)).toEqual([
    ["narration", "Now speak."],
    ["opened"],
    ["line", " [x] Sent hi"],
    ["exited"],
  ]);
});
