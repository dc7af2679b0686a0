import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Broker, startBroker } from "broker";
import { check, findExercises, readHints, readTask, type State, sourcesOf, writeSources } from "exercise";
import { readCatalogue } from "stage";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const found = findExercises(root);
/** Wrong answers are wrong on each broker, and most of them are told by a line that doesn't come within a while. */
const testsOfMistakes = process.env.TESTS_WITHOUT_BROKER !== "no";

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
});

test("each example has an exercise, and each exercise an example", () => {
  const patterns = readCatalogue(join(root, "README.md")).flatMap(({ patterns }) =>
    patterns.map(({ name }) => name),
  );
  expect([...new Set(found.map(({ from }) => from))]).toEqual(patterns);
});

test("README.md lists them all", async () => {
  const rows = found.map(({ id, number, from, folder }) => [
    number,
    `[${id}](${id}/task.md)`,
    readTask(folder).title,
    `[${from}](../examples/${from}/README.md)`,
  ]);
  const table = tableOf(["", "Exercise", "What it is about", "The lesson"], ...rows);
  const readme = readFileSync(join(root, "exercises/README.md"), "utf8");
  const listed = readme.replace(/(?<=^<!-- .* -->\n\n)(\|.*\n)*/m, table);
  expect(listed).toContain(table);
  await expect(listed).toMatchFileSnapshot("../README.md");
});

/** ms; longer than the longest time that `tryOut` gives a check. */
const timeout = 120_000;

for (const { id, folder, from, load } of found) {
  const exercise = await load();

  /** Checks an answer. Several are checked at once, on a machine that tests other packages too. */
  async function tryOut(name: string, state: State, patience: number) {
    const built = join(root, "exercises/built", id, name);
    writeSources(sourcesOf(root, exercise, state), built);
    return check(exercise, { root, folder: built, broker, patience });
  }

  test.concurrent(`${id}: the solution passes`, { timeout }, async () => {
    expect(await tryOut("solution", "solution", 4)).toEqual({ passed: true });
  });

  test.concurrent(`${id}: what the learner begins with fails, and is told why`, { timeout }, async () => {
    const verdict = await tryOut("given", "given", 2);
    expect(verdict).toEqual({ passed: false, miss: expect.stringMatching(exercise.says) });
  });

  for (const [index, wrong] of testsOfMistakes ? exercise.wrong.entries() : [])
    test.concurrent(`${id}: a wrong answer fails: ${wrong.why}`, { timeout }, async () => {
      const verdict = await tryOut(`wrong-${index + 1}`, wrong, 2);
      expect(verdict).toEqual({ passed: false, miss: expect.stringMatching(wrong.says) });
    });

  test.concurrent(`${id}: the learner gets from what they have to the solution with the files they are told to change`, () => {
    expect(exercise.from).toBe(from);
    const [given, solution] = [sourcesOf(root, exercise, "given"), sourcesOf(root, exercise, "solution")];
    const changed = [...solution.keys()].filter((path) => given.get(path) !== solution.get(path));
    expect(changed).toEqual(exercise.files);
  });

  test.concurrent(`${id}: it has a task, with a link to its lesson, and three hints`, () => {
    const { title, text } = readTask(folder);
    expect(title).not.toBe("");
    expect(text.trim().split("\n").length).toBeGreaterThanOrEqual(5);
    const links = [...text.matchAll(/\]\(([^):]+)\)/g)].map(([, path = ""]) => path);
    expect(links).toContain(`../../examples/${from}/README.md`);
    for (const path of links) expect(existsSync(join(folder, path)), path).toBe(true);
    for (const file of exercise.files) expect(text).toContain(`\`${file}\``);
    expect(readHints(folder)).toHaveLength(3);
  });
}

/** A table as Biome formats it. */
function tableOf(...rows: [string[], ...string[][]]): string {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const [head, ...body] = rows;
  return [head, widths.map((width) => "-".repeat(width)), ...body].map(line).join("");
}
