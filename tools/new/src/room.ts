import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "cli";

/** The example that a new one begins as. */
const MODEL = "hello";

/**
 * Checks the name of a new example.
 *
 * @param root The repository's folder.
 * @param name Of the pattern: of its folder, its package and its queue.
 * @throws {UserError} When it isn't words of small letters and digits with hyphens between them, or is taken.
 */
export function checkName(root: string, name: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40)
    throw new UserError(
      `${JSON.stringify(name)} can't be a pattern's name: it has words of a-z and 0-9 with hyphens between them, as in dead-letter.`,
    );
  if (existsSync(join(root, "examples", name))) throw new UserError(`examples/${name} exists already.`);
  const { dependencies, devDependencies } = readManifest(join(root, "examples", MODEL));
  const taken = [
    "shared",
    "exercises",
    ...readdirSync(join(root, "tools")),
    ...Object.keys({ ...dependencies, ...devDependencies }),
  ];
  if (taken.includes(name)) throw new UserError(`A package with the name ${name} exists already.`);
}

/**
 * Makes a new example from the model: its two scripts, its topology, the scenario and diagram of its page, and the
 * first test. What the author has to write is marked in the page by "TODO".
 *
 * @param root The repository's folder.
 * @param name Of the pattern.
 * @returns The files' contents, by their paths in the new folder.
 * @throws {UserError} When the model no longer has a part that is needed.
 */
export function makeRoom(root: string, name: string): Record<string, string> {
  const model = join(root, "examples", MODEL);
  const read = (file: string) => rename(readFileSync(join(model, file), "utf8"), name);
  return {
    "package.json": manifest(model, name),
    "README.md": page(readFileSync(join(model, "README.md"), "utf8"), name),
    "src/topology.ts": read("src/topology.ts"),
    "src/send.ts": read("src/send.ts"),
    "src/receive.ts": read("src/receive.ts"),
    [`test/${name}.test.ts`]: firstTest(read(`test/${MODEL}.test.ts`)),
  };
}

/** The model's name stands for its folder, its package and its queue. In `declareHello` it is part of an identifier. */
function rename(text: string, name: string): string {
  const identifier = name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return text.replace(/\bhello\b/g, name).replace(/\bdeclareHello\b/g, `declare${identifier}`);
}

function readManifest(folder: string) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

function manifest(model: string, name: string): string {
  const content = readManifest(model);
  const { send, receive, test } = content.scripts;
  return `${JSON.stringify({ ...content, name, scripts: { send, receive, test } }, null, 2)}\n`;
}

/** All that stands before the model's second test: imports, the page, the manners, and a promise. */
function firstTest(text: string): string {
  const [head, first] = text.split(/^(?=test\()/m);
  if (!head || !first)
    throw new UserError(`examples/${MODEL}/test/${MODEL}.test.ts has no test to begin with.`);
  return `${head}${first}`.trimEnd().concat("\n");
}

function page(readme: string, name: string): string {
  const diagram = /^```mermaid\n.*?^```\n/ms.exec(readme)?.[0];
  const section = (heading: string) => new RegExp(`^## ${heading}\\b.*?(?=^## )`, "ms").exec(readme)?.[0];
  const [run, broken] = [section("Run it"), section("Break it")];
  if (!diagram || !run || !broken)
    throw new UserError(`examples/${MODEL}/README.md lacks its diagram, "Run it" or "Break it".`);
  // A node's id can't have hyphens, as a pattern's name may.
  const nodes = diagram.replace(/(?<!")\bhello\b(?!")/g, "queue");
  return `# ${name}: TODO what it does, in a few words

TODO: what the pattern is for, in two or three plain sentences about a service that needs it. Name the words that
people search for.

TODO: when to use it, and when not to. When one queue and one worker are enough, see [hello](../hello).

${rename(nodes, name)}
${rename(run, name)}## What to notice

- TODO: what the broker does here that a reader may not expect, with a link to the line that asks for it:
  [topology.ts](src/topology.ts).

${rename(broken, name)}## Read on

TODO: the page of RabbitMQ's documentation that this is about. Next here: [hello](../hello).
`;
}
