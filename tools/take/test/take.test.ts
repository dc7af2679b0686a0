import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, type VirtualHost } from "broker";
import { UserError } from "cli";
import { exitInWords, openProgram, play, readersEnvironment, readReadme } from "stage";
import { test } from "testkit";
import { beforeAll, describe, expect, onTestFinished } from "vitest";
import { writeFiles } from "../src/folder.ts";
import { patternNames, readPattern } from "../src/pattern.ts";
import { makeProject } from "../src/project.ts";
import type { Files } from "../src/sources.ts";

const root = join(import.meta.dirname, "../../..");

/** Each pattern's project, or why it can't be one. */
const taken = new Map(
  patternNames(root).map((name): [string, Files | UserError] => {
    try {
      return [name, makeProject(root, readPattern(root, name), name)];
    } catch (error) {
      if (error instanceof UserError) return [name, error];
      throw error;
    }
  }),
);
const projects = [...taken].flatMap(([name, files]) => (files instanceof UserError ? [] : [{ name, files }]));
const refused = [...taken].flatMap(([name, reason]) =>
  reason instanceof UserError ? [{ name, reason }] : [],
);

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "take-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function run(cwd: string, program: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const terminal = openProgram(program, args, { cwd, env: readersEnvironment(env) });
  const exit = exitInWords(await terminal.exit);
  return { exit, lines: terminal.lines, errors: terminal.errors };
}

const pnpmTake = (cwd: string, ...args: string[]) =>
  run(root, process.execPath, ["--import", "tsx", "tools/take/src/cli.ts", ...args], { INIT_CWD: cwd });

/** Where the programs of a project find their broker, and where they listen, beside those of other tests. */
async function surroundings({ amqpUrl, managementUrl }: VirtualHost) {
  const [mqtt, http] = await freePorts(2);
  return {
    AMQP_URL: amqpUrl,
    RABBITMQ_MANAGEMENT_URL: managementUrl,
    MQTT_URL: `mqtt://127.0.0.1:${mqtt}`,
    PORT: `${http}`,
  };
}

describe("refuses in words, with exit code 2, and leaves nothing behind:", () => {
  test.each([
    ["no pattern", [], /^Which pattern\?$/],
    ["no folder", ["topics"], /^Into which folder\?$/],
    ["an empty folder name", ["topics", ""], /^Into which folder\?$/],
    ["two folders", ["topics", "a", "b"], /^One pattern and one folder at a time\.$/],
    ["an unknown pattern", ["topic", "new"], /^There is no pattern "topic"\. Did you mean topics\?$/],
    [
      "control characters",
      ["hell\x1b[2Jo", "new"],
      /^There is no pattern "hell\\x1b\[2Jo"\. Did you mean hello\?$/,
    ],
    ["a folder elsewhere", ["../examples/topics", "new"], /^There is no pattern /],
    ["a folder that isn't empty", ["topics", "full"], /full is not empty\. Name a new or an empty folder\.$/],
    ["a file", ["topics", "full/file"], /file is a file\. Name a new or an empty folder\.$/],
    ["a folder below a file", ["topics", "full/file/new"], /new can't be written: /],
  ])("%s", async (_, args, message) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "full"));
    writeFileSync(join(folder, "full/file"), "kept");
    const { exit, lines, errors } = await pnpmTake(folder, ...args);
    expect(errors[0]).toMatch(message);
    for (const line of errors.slice(1)) expect(line).toBe("Usage: pnpm take <pattern> <folder> [--help]");
    expect(lines).toEqual(errors);
    expect(exit).toBe("exit code 2");
    expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual(["full", "full/file"]);
    expect(readFileSync(join(folder, "full/file"), "utf8")).toBe("kept");
  });

  test("a pattern that needs a tool or another example", async () => {
    const reason = /^[\w-]+ can't be taken: it needs \S.*, which is part of this repository\.$/;
    for (const refusal of refused) expect(refusal.reason.message).toMatch(reason);
    const folder = temporaryFolder();
    const { exit, errors } = await pnpmTake(folder, refused[0]?.name ?? "", "new");
    expect(errors).toEqual([expect.stringMatching(reason)]);
    expect(exit).toBe("exit code 2");
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("removes what it has written when a file can't be written", () => {
  const folder = temporaryFolder();
  const impossible = { file: "", "file/below": "" };
  expect(() => writeFiles(join(folder, "some/where"), impossible)).toThrow(UserError);
  expect(readdirSync(folder)).toEqual([]);
  mkdirSync(join(folder, "empty"));
  expect(() => writeFiles(join(folder, "empty"), impossible)).toThrow(UserError);
  expect(readdirSync(folder, { recursive: true })).toEqual(["empty"]);
});

test("--help: the usage, on stdout", async () => {
  const { exit, lines, errors } = await pnpmTake(root, "--help");
  expect(lines.join("\n")).toMatch(
    /^Usage: pnpm take <pattern> <folder> [\s\S]*\nWrites a pattern as a project of its own/,
  );
  expect({ exit, errors }).toEqual({ exit: "exit code 0", errors: [] });
});

describe.each(projects)("$name", ({ files }) => {
  test("stands alone", () => {
    const { dependencies, devDependencies } = JSON.parse(files["package.json"] ?? "");
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    const sources = Object.entries(files).filter(([path]) => path.endsWith(".ts"));
    for (const [path, source] of sources) {
      expect(source, path).not.toMatch(/pnpm --filter|`pnpm|from "shared/);
      for (const [, target] of source.matchAll(/ from "(\.[^"]+)"/g))
        expect(Object.keys(files)).toContain(join(path, "..", target ?? ""));
    }
  });

  test("has a page whose links and commands are good there", () => {
    const page = files["README.md"] ?? "";
    expect(page).not.toContain("pnpm --filter");
    for (const [, target] of page.matchAll(/\]\((?!\w+:|#)([^)]+)\)/g))
      expect(Object.keys(files).some((path) => path === target || path.startsWith(`${target}/`))).toBe(true);
    for (const [, script] of page.matchAll(/^\$ node dist\/(\S+)\.js/gm))
      expect(Object.keys(files)).toContain(`src/${script}.ts`);
  });
});

describe("with the dependencies of all patterns installed once", () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "take-"));
    const manifests = projects.map(({ files }) => JSON.parse(files["package.json"] ?? ""));
    const dependencies = Object.assign(
      {},
      ...manifests.map((manifest) => ({ ...manifest.dependencies, ...manifest.devDependencies })),
    );
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
    // Without install scripts: the only ones are those of an SSH client that Testcontainers has for remote engines.
    const quick = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    const { exit, lines } = await run(folder, "npm", ["install", ...quick]);
    expect(exit, lines.join("\n")).toBe("exit code 0");
    return () => rmSync(folder, { recursive: true, force: true });
  });

  // Node and tsc look for packages in the folders above, too.
  for (const { name, files } of projects)
    test(`${name} builds, sends and receives`, async ({ broker }) => {
      const virtualHost = await broker.createVirtualHost();
      onTestFinished(() => virtualHost.delete());
      const project = join(folder, name);
      const env = await surroundings(virtualHost);
      const smokeTest = "src/test/smoke.test.ts";
      const onFreePort = files[smokeTest]?.replaceAll(/(?<=http:\/\/[\w.]+:)\d+/g, env.PORT) ?? "";
      writeFiles(project, { ...files, [smokeTest]: onFreePort });
      const built = await run(project, process.execPath, [join(folder, "node_modules/typescript/bin/tsc")]);
      expect(built).toEqual({ exit: "exit code 0", lines: [], errors: [] });
      const smoke = ["--test", "dist/test/smoke.test.js"];
      const { exit, lines } = await run(project, process.execPath, smoke, env);
      expect(exit, lines.join("\n")).toBe("exit code 0");
      expect(lines).toContainEqual(expect.stringMatching(/pass 1$/));
    });
});

describe("topics, as its user takes it", () => {
  test("installs, builds, passes its test, and its page plays", {
    // ms; a bound for a slow registry
    timeout: 300_000,
  }, async ({ virtualHost, signal }) => {
    const folder = temporaryFolder();
    const { exit, lines } = await pnpmTake(folder, "topics", "my service/Topics");
    expect(lines).toEqual([
      "topics is a project of its own now. To try it:",
      "",
      '  cd "my service/Topics"',
      "  npm install",
      "  npm run build",
      "  npm test",
    ]);
    expect(exit).toBe("exit code 0");

    const project = join(folder, "my service/Topics");
    const env = await surroundings(virtualHost);
    for (const command of ["install", "run build", "test"]) {
      const result = await run(project, "npm", command.split(" "), env);
      expect(result.exit, result.lines.join("\n")).toBe("exit code 0");
    }
    expect(existsSync(join(project, "dist/sub.js"))).toBe(true);

    for (const scenario of readReadme(join(project, "README.md")).scenarios) {
      const performances = await play(scenario, { cwd: project, env: readersEnvironment(env), signal });
      expect(performances.flatMap(({ difference = [] }) => difference)).toEqual([]);
    }
  });

  // Without AMQP_URL. Elsewhere there may be no Docker.
  test.runIf(process.env.BROKER === "docker")(
    "starts a broker in Docker for its test",
    {
      timeout: 300_000,
    },
    async () => {
      const project = join(temporaryFolder(), "topics");
      const { exit } = await pnpmTake(root, "topics", project);
      expect(exit).toBe("exit code 0");
      const { AMQP_URL, ...env } = process.env;
      for (const command of ["install", "test"]) {
        const terminal = openProgram("npm", [command], { cwd: project, env });
        expect(exitInWords(await terminal.exit), terminal.lines.join("\n")).toBe("exit code 0");
      }
    },
  );
});
