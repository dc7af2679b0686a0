import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkCommands } from "../src/commands.ts";
import { readPackages } from "../src/packages.ts";
import { checkActions, checkDependencies, checkLengths, checkScripts } from "../src/rules.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** A repository that breaks no rule: an example, `shared` and two tools. */
const good: Record<string, string> = {
  "package.json": manifest({ scripts: { start: "node tour", test: "node test", tour: "node tour" } }),
  "README.md": "# Patterns\n\n- [one](examples/one)\n- [its end](examples/one/README.md#break-it)\n",
  "examples/one/README.md": "# one\n\n## Break it\n\nThe colour of the message is [here](src/pub.ts).\n",
  "examples/one/package.json": manifest({
    name: "one",
    scripts: { pub: "node --import tsx src/pub.ts", test: "vitest run" },
    dependencies: { amqplib: "catalog:", shared: "workspace:*" },
    devDependencies: { testkit: "workspace:*" },
  }),
  "examples/one/src/pub.ts": imports("node:fs", "amqplib", "shared", "./topology.ts"),
  "examples/one/src/parts/part.ts": imports("../topology.ts"),
  "examples/one/test/one.test.ts": imports("testkit", "../src/topology.ts"),
  "shared/package.json": manifest({ name: "shared", dependencies: { amqplib: "catalog:" } }),
  "shared/src/amqp/connect.ts": imports("node:events", "amqplib", "./url.ts"),
  "shared/src/script/produce.ts": imports("node:util", "../amqp/index.ts", "./usage.ts"),
  "tools/broker/package.json": manifest({ name: "broker" }),
  "tools/stage/package.json": manifest({ name: "stage", dependencies: { broker: "workspace:*" } }),
  "tools/stage/src/play.ts": imports("broker", "./terminal.ts"),
};

function manifest(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

function imports(...modules: string[]): string {
  return modules.map((name) => `import ${JSON.stringify(name)};\n`).join("");
}

/** Writes a repository with this one's settings: the good one, with some files changed. */
function repository(changed: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "house-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["biome.json", "cspell.json", ".gitignore", ".remarkrc.json", ".remarkignore"])
    cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  for (const [name, content] of Object.entries({ ...good, ...changed })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** Runs one of the root's scripts elsewhere, exactly as package.json has it. */
function run(script: string, cwd: string): Promise<{ code: number; output: string }> {
  const [program, ...words] = scripts[script].split(" ");
  return new Promise((resolve) => {
    execFile(
      join(root, "node_modules/.bin", program),
      words,
      { cwd, shell: process.platform === "win32" },
      (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stripVTControlCharacters(stdout + stderr) }),
    );
  });
}

describe.each(["check:format-and-lint", "check:links", "check:spelling"])("%s", (script) => {
  test("passes where all is well", async () => {
    expect(await run(script, repository())).toMatchObject({ code: 0 });
  });
});

test.each([
  ["a misspelt word on a page", "README.md", "# Patterns that recieve\n", "recieve"],
  ["an American spelling", "README.md", "# The behavior of a queue\n", "behavior"],
  ["a misspelt word in a comment", "examples/one/src/pub.ts", "// It acknowleges.\n", "acknowleges"],
])("check:spelling finds %s", async (_, file, content, word) => {
  const { code, output } = await run("check:spelling", repository({ [file]: content }));
  expect(output).toContain(word);
  expect(code).toBe(1);
});

test(".editorconfig has the widths that Biome formats to", () => {
  const { formatter } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
  const all = readFileSync(join(root, ".editorconfig"), "utf8").split(/^\[/m)[1];
  expect(all).toContain(`indent_style = ${formatter.indentStyle}\nindent_size = ${formatter.indentWidth}\n`);
  expect(all).toContain(`max_line_length = ${formatter.lineWidth}\n`);
});

test("the words that the spelling check accepts are sorted", () => {
  const { words } = JSON.parse(readFileSync(join(root, "cspell.json"), "utf8"));
  expect(words).toEqual([...new Set(words)].sort());
});

test.each([
  ["a file that is not there", "# Patterns\n\n[two](examples/two)\n", "examples/two"],
  ["a heading that is not there", "# Patterns\n\n[end](#the-end)\n", "the-end"],
  ["a heading that another page lacks", "# Patterns\n\n[end](examples/one/README.md#the-end)\n", "the-end"],
])("check:links finds a link to %s", async (_, page, target) => {
  const { code, output } = await run("check:links", repository({ "README.md": page }));
  expect(output).toContain(target);
  expect(code).toBe(1);
});

test.each([
  ["an example that imports a tool", "examples/one/src/pub.ts", "broker"],
  ["an example that imports what only its tests may", "examples/one/src/pub.ts", "testkit"],
  ["an example that imports what it doesn't declare", "examples/one/src/pub.ts", "lodash"],
  ["an example that reaches into another", "examples/one/src/pub.ts", "../../two/src/topology.ts"],
  ["an example's part that reaches into a tool", "examples/one/src/parts/part.ts", "../../../tools/x.ts"],
  ["an example's test that reaches into a tool", "examples/one/test/one.test.ts", "../../../tools/x.ts"],
  ["shared/amqp that imports shared/script", "shared/src/amqp/connect.ts", "../script/usage.ts"],
  ["shared/amqp that imports the entry point", "shared/src/amqp/connect.ts", "../index.ts"],
  ["shared/amqp that imports a library", "shared/src/amqp/connect.ts", "pino"],
  ["shared/script that imports the entry point", "shared/src/script/produce.ts", "../index.ts"],
  ["shared/script that imports a library", "shared/src/script/produce.ts", "pino"],
  ["a tool that reaches into another", "tools/stage/src/play.ts", "../../broker/src/find.ts"],
  ["a tool that imports what it doesn't declare", "tools/stage/src/play.ts", "amqplib"],
])("check:format-and-lint finds %s", async (_, file, module) => {
  const { code, output } = await run("check:format-and-lint", repository({ [file]: imports(module) }));
  expect(output).toMatch(/noRestrictedImports|noUndeclaredDependencies/);
  expect(output).toContain(module);
  expect(code).toBe(1);
});

test("check:unused finds a dependency that nothing imports", async () => {
  const packageOf = (dependencies: object) => ({
    "package.json": manifest({ name: "root", private: true, workspaces: ["examples/*"] }),
    "examples/one/package.json": manifest({ name: "one", main: "src/pub.ts", dependencies }),
    "examples/one/src/pub.ts": 'import "amqplib";\n',
  });
  const finds = async (dependencies: object) =>
    (await run("check:unused", repository(packageOf(dependencies)))).output;
  expect(await finds({ amqplib: "2", lodash: "4" })).toMatch(/lodash +examples\/one\/package\.json/);
  expect(await finds({ amqplib: "2" })).not.toContain("examples/one/package.json");
});

describe("check:house", () => {
  const found = (changed: Record<string, string> = {}) => {
    const folder = repository(changed);
    const packages = readPackages(folder);
    return [
      ...checkDependencies(packages),
      ...checkScripts(packages),
      ...checkLengths(folder, packages),
      ...checkActions(folder),
      ...checkCommands(folder, packages),
    ];
  };
  const lines = (count: number) => "// A line\n".repeat(count);

  test("passes where all is well", () => {
    expect(found()).toEqual([]);
  });

  test.each([
    ["examples/one", "stage", "Here it may depend on shared."],
    ["shared", "broker", "It may depend on none."],
    ["tools/broker", "stage", "Here it may depend on shared, cli."],
    [
      "tools/tour",
      "live",
      "Here it may depend on shared, cli, broker, kafka, wire, look, stage, exercise, testkit.",
    ],
  ])("finds that %s depends on %s", (folder, dependency, detail) => {
    const name = folder.split("/").at(-1);
    const content = manifest({ name, dependencies: { [dependency]: "workspace:*" } });
    expect(found({ [`${folder}/package.json`]: content })).toEqual([
      { what: `${folder} depends on ${dependency}`, detail },
    ]);
  });

  test("takes a package from npm for what it is, also when an example has its name", () => {
    const content = manifest({ name: "mqtt", dependencies: { mqtt: "catalog:" } });
    const page = { "examples/mqtt/README.md": "# mqtt\n" };
    expect(found({ "examples/mqtt/package.json": content, ...page })).toEqual([]);
  });

  test.each([
    ["leaves its folder", "node ../../tools/broker/src/cli.ts"],
    ["needs a shell", "PORT=1 node src/pub.ts"],
    ["needs a shell", "node src/pub.ts && node src/pub.ts"],
    ["needs a shell", "node src/pub.ts $HOME"],
  ])("finds a script that %s: %s", (why, command) => {
    const content = manifest({ name: "one", scripts: { pub: command } });
    expect(found({ "examples/one/package.json": content })).toEqual([
      { what: `examples/one: script pub ${why}`, detail: command },
    ]);
  });

  test("finds a role script that is too long, and no other file", () => {
    expect(
      found({
        "examples/one/src/pub.ts": lines(40),
        "examples/one/src/topology.ts": lines(41),
      }),
    ).toEqual([]);
    expect(found({ "examples/one/src/pub.ts": lines(41) })).toEqual([
      { what: "examples/one/src/pub.ts is longer than 40 lines", detail: "It has 41." },
    ]);
  });

  test("finds a README that is too long", () => {
    expect(found({ "examples/one/README.md": "line\n".repeat(150) })).toEqual([]);
    expect(found({ "examples/one/README.md": "line\n".repeat(151) })).toEqual([
      { what: "examples/one/README.md is longer than 150 lines", detail: "It has 151." },
    ]);
  });

  test("finds a script that a package.json names and that is not there", () => {
    const content = manifest({ name: "one", scripts: { sub: "node --import tsx src/sub.ts" } });
    expect(found({ "examples/one/package.json": content })).toEqual([
      { what: "examples/one/src/sub.ts does not exist", detail: "" },
    ]);
  });

  test.each([
    ["`pnpm trip`", "pnpm trip", "There is no script trip."],
    ["`pnpm tour two`", "pnpm tour two", "There is no pattern two."],
    ["`pnpm --filter two pub`", "pnpm --filter two pub", "There is no package two."],
    ["`pnpm --filter=one sub`", "pnpm --filter=one sub", "one has no script sub."],
    ["`npm run live`", "npm run live", "There is no script live."],
    ["```sh\npnpm install && pnpm trip # It plays.\n```", "pnpm trip", "There is no script trip."],
    ["```console\n$ pnpm trip\npnpm printed this\n```", "pnpm trip", "There is no script trip."],
  ])("finds a command that no reader can type: %s", (code, command, detail) => {
    for (const page of ["docs/page.md", "examples/one/README.md"]) {
      const line = code.startsWith("`pnpm") || code.startsWith("`npm") ? 3 : 4;
      expect(found({ [page]: `# A page\n\n${code}\n` })).toEqual([
        { what: `${page}:${line}: ${command}`, detail },
      ]);
    }
  });

  test.each([
    "`pnpm tour one`, `pnpm tour --list`, `pnpm tour <pattern>`, `pnpm install`, `npm test`, `npm run build`",
    "```sh\npnpm tour one --group basics   # pnpm trip\npnpm --filter one pub\npnpm --filter <pattern> pub\n```",
    "pnpm trip, and `a pnpm trip`",
  ])("accepts what a reader can type: %s", (text) => {
    expect(found({ "docs/page.md": `# A page\n\n${text}\n` })).toEqual([]);
  });

  test.each(["actions/checkout@v7", "actions/checkout@3d3c42e # v7.0.1"])(
    "finds that %s isn't pinned",
    (action) => {
      const pinned = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1";
      const workflow = (uses: string) => ({
        ".github/workflows/ci.yml": `steps:\n  - uses: ${uses}\n`,
      });
      expect(found(workflow(pinned))).toEqual([]);
      expect(found(workflow(action))).toMatchObject([
        { what: `.github/workflows/ci.yml: ${action} is not pinned` },
      ]);
    },
  );
});

// A stand-in for actionlint is a shell script.
describe.skipIf(process.platform === "win32")("check:workflows", () => {
  const check = (folder: string) => {
    const cli = join(root, "tools/house/src/workflows.ts");
    const tsx = join(root, "node_modules/tsx/dist/loader.mjs");
    return spawnSync(process.execPath, ["--import", pathToFileURL(tsx).href, cli], {
      env: { PATH: folder },
      encoding: "utf8",
    });
  };

  test.each([0, 1])("ends with actionlint's exit code: %i", (code) => {
    const folder = repository();
    writeFileSync(join(folder, "actionlint"), `#!/bin/sh\necho ci.yml:1 && exit ${code}\n`, { mode: 0o755 });
    expect(check(folder)).toMatchObject({ status: code, stdout: "ci.yml:1\n" });
  });

  test("says so where actionlint isn't installed", () => {
    expect(check(repository())).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("not installed"),
    });
  });
});
