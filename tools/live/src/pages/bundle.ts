import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * Bundles the page's script, in memory: nothing that is built is kept.
 *
 * @throws When it has a mistake.
 */
export async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../../web/main.tsx", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    minify: true,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}
