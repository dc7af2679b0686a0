import { posix } from "node:path";
import { parseSync } from "oxc-parser";

/** Where the files of `shared/src` go. */
export const SHARED = "src/shared";

/** A file's contents, by its path in the new project, with slashes. */
export type Files = Record<string, string>;

/** What a module imports or exports again. */
interface Request {
  specifier: string;
  /** Where the specifier is, with its quotes. */
  start: number;
  end: number;
  /** By which names. `undefined` stands for all. */
  names: string[] | undefined;
}

/**
 * Takes what a pattern's sources need of `shared`, and has them import it from there.
 *
 * @param sources The pattern's own, by their paths in the new project.
 * @param shared All of `shared/src`, by their paths below it.
 * @param entries What the package's name and its subpaths stand for: `{ shared: "script/index.ts" }`.
 * @returns The pattern's sources, those of `shared` that they need, and the names of the packages that these import.
 */
export function linkSources(
  sources: Files,
  shared: Files,
  entries: Record<string, string>,
): { files: Files; packages: string[] } {
  const files: Files = {};
  const wanted = new Map<string, Set<string> | undefined>();
  for (const [path, source] of Object.entries(sources))
    files[path] = replaceSpecifiers(source, ({ specifier, names }) => {
      const entry = entries[specifier];
      if (entry === undefined) return specifier;
      const before = wanted.has(entry) ? wanted.get(entry) : new Set<string>();
      wanted.set(entry, names && before && new Set([...before, ...names]));
      const from = posix.relative(posix.dirname(path), `${SHARED}/${entry}`);
      return from.startsWith(".") ? from : `./${from}`;
    });

  for (const [entry, names] of wanted) {
    const source = shared[entry] ?? "";
    files[`${SHARED}/${entry}`] = names ? keepExports(source, names) : source;
  }
  // What those import, and what that imports.
  for (const path of Object.keys(files)) addImports(path, files, shared);

  const specifiers = Object.values(files).flatMap((source) => readRequests(source).map((r) => r.specifier));
  const packages = specifiers
    .filter((specifier) => !/^(\.|node:)/.test(specifier))
    .map((specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
  return { files, packages: [...new Set(packages)].sort() };
}

function addImports(path: string, files: Files, shared: Files): void {
  if (!path.startsWith(`${SHARED}/`)) return;
  for (const { specifier } of readRequests(files[path] ?? "")) {
    if (!specifier.startsWith(".")) continue;
    const target = posix.join(posix.dirname(path), specifier);
    if (target in files) continue;
    files[target] = shared[target.slice(SHARED.length + 1)] ?? "";
    addImports(target, files, shared);
  }
}

/** Leaves out those lines of an index that export nothing of what is wanted. */
function keepExports(source: string, wanted: Set<string>): string {
  const { module } = parseSync("index.ts", source);
  const dropped = module.staticExports.filter(({ entries }) =>
    entries.every(({ exportName }) => exportName.name !== null && !wanted.has(exportName.name)),
  );
  return dropped.reduceRight((rest, { start, end }) => rest.slice(0, start) + rest.slice(end + 1), source);
}

function replaceSpecifiers(source: string, replace: (request: Request) => string): string {
  return readRequests(source)
    .sort((a, b) => b.start - a.start)
    .reduce(
      (rest, request) => `${rest.slice(0, request.start)}"${replace(request)}"${rest.slice(request.end)}`,
      source,
    );
}

function readRequests(source: string): Request[] {
  const { module, errors } = parseSync("module.ts", source);
  if (errors[0]) throw new Error(errors[0].message);
  const requests = new Map<number, Request>();
  const add = (
    { value, start, end }: { value: string; start: number; end: number },
    name?: string | null,
  ) => {
    const request: Request = requests.get(start) ?? { specifier: value, start, end, names: [] };
    request.names = name ? request.names && [...request.names, name] : undefined;
    requests.set(start, request);
  };
  for (const { moduleRequest, entries } of module.staticImports) {
    if (entries.length === 0) add(moduleRequest);
    for (const { importName } of entries) add(moduleRequest, importName.name);
  }
  for (const { moduleRequest, importName } of module.staticExports.flatMap(({ entries }) => entries))
    if (moduleRequest) add(moduleRequest, importName.name);
  for (const {
    moduleRequest: { start, end },
  } of module.dynamicImports) {
    const literal = source.slice(start, end);
    if (/^["']/.test(literal)) add({ value: literal.slice(1, -1), start, end });
  }
  return [...requests.values()];
}
