import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { parse, parseDocument, visit } from "yaml";
import { rewritePage } from "./page.ts";
import { type Pattern, readManifest, rewriteCommands } from "./pattern.ts";
import { writeSmokeTest } from "./smoke.ts";
import { type Files, linkSources, SHARED } from "./sources.ts";

const TEMPLATE = join(import.meta.dirname, "../template");

/**
 * Makes a pattern a project of its own.
 *
 * @param root The repository's folder.
 * @param pattern The pattern.
 * @param name The new project's.
 * @returns The new project's files.
 */
export function makeProject(root: string, pattern: Pattern, name: string): Files {
  const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
  const template = (file: string) => readFileSync(join(TEMPLATE, file), "utf8");
  const ours = (content: string) => rewriteCommands(content, pattern);

  const shared = readFolder(join(root, "shared/src"));
  shared["script/repository.ts"] = template("repository.ts");
  const { exports } = JSON.parse(read("shared/package.json")) as { exports: Record<string, string> };
  const entries = Object.entries(exports).map(([subpath, file]) => [
    subpath.replace(/^\./, "shared"),
    file.replace("./src/", ""),
  ]);
  const own = Object.entries(readFolder(join(pattern.folder, "src"))).map(([path, source]) => [
    `src/${path}`,
    ours(source),
  ]);
  const { files, packages } = linkSources(Object.fromEntries(own), shared, Object.fromEntries(entries));

  const [scenario] = pattern.readme.scenarios;
  if (!scenario) throw new Error(`${pattern.name} has no scenario.`);
  const blocks = scenario.blocks.map((block) => ({
    ...block,
    command: ours(block.command),
    lines: block.lines.map((line) => (line.kind === "key" ? line : { ...line, text: ours(line.text) })),
  }));
  const page = ours(read("examples", pattern.name, "README.md"));
  const isThere = (path: string) => Object.keys(files).some((file) => `${file}/`.startsWith(`${path}/`));

  const ignored = join(pattern.folder, ".gitignore");

  return {
    ...files,
    [`${SHARED}/LICENSE`]: read("LICENSE"),
    "src/test/smoke.test.ts": writeSmokeTest({ ...scenario, blocks }),
    "src/test/play.ts": template("play.ts"),
    "src/test/broker.ts": template("broker.ts"),
    "README.md": rewritePage(page, pattern.name, scenario.heading, isThere),
    "package.json": json({ name, ...packageOf(root, pattern, packages) }),
    "tsconfig.json": json(compilation(JSON.parse(read("tsconfig.json")))),
    "docker-compose.yml": brokerOf(read("docker-compose.yml")),
    ".gitignore": `node_modules/\ndist/\n${existsSync(ignored) ? readFileSync(ignored, "utf8") : ""}`,
  };
}

const json = (content: unknown) => `${JSON.stringify(content, null, 2)}\n`;

/** The files below a folder, by their paths with slashes. */
function readFolder(folder: string): Files {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return Object.fromEntries(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .map((path) => [path.slice(folder.length + 1).replaceAll(sep, "/"), readFileSync(path, "utf8")]),
  );
}

/** The versions are those of the repository's catalog, where each is exact. */
function packageOf(root: string, { manifest }: Pattern, packages: string[]) {
  const { catalog } = parse(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"));
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const versions = (names: string[]) =>
    Object.fromEntries([...new Set(names)].sort().map((name) => [name, catalog[name]]));
  const needed = Object.keys(readManifest(join(root, "shared")).dependencies).filter((name) =>
    packages.includes(name),
  );
  const own = Object.entries(manifest.dependencies).flatMap(([name, version]) =>
    // tsx runs TypeScript. The new project runs what tsc has made of it.
    version === "catalog:" && name !== "tsx" ? [name] : [],
  );
  const types = Object.keys(manifest.devDependencies).filter((name) => name.startsWith("@types/"));
  return {
    version: "0.0.0",
    private: true,
    type: "module",
    engines,
    scripts: {
      build: "tsc",
      pretest: "npm run build",
      test: "node --test dist/test/smoke.test.js",
    },
    dependencies: versions([...own, ...needed]),
    devDependencies: versions(["@types/node", "testcontainers", "typescript", ...types]),
  };
}

/** The repository's options for the compiler, with the output that it doesn't need itself. */
function compilation({ compilerOptions }: { compilerOptions: Record<string, unknown> }) {
  const { noEmit, allowImportingTsExtensions, ...options } = compilerOptions;
  return {
    include: ["src"],
    compilerOptions: { rootDir: "src", outDir: "dist", rewriteRelativeImportExtensions: true, ...options },
  };
}

/** The broker of the repository's compose file, alone. */
function brokerOf(compose: string): string {
  const document = parseDocument(compose);
  for (const service of Object.keys(document.toJS().services))
    if (service !== "rabbitmq") document.deleteIn(["services", service]);
  document.delete("networks");
  // What has no alias any more needs no anchor.
  visit(document, {
    Node(_, node) {
      if ("anchor" in node) delete node.anchor;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
