import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Each package's `vitest run` finds this file above its own folder, so none needs a configuration of its own.
export default defineConfig({
  test: {
    include: ["test/*.test.ts"],
    globalSetup: fileURLToPath(new URL("tools/testkit/src/global-setup.ts", import.meta.url)),
    // ms; bounds for a loaded machine. What is awaited comes by itself.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // How often a test that failed is tried again: .ci/run says why, and when.
    retry: Number(process.env.TEST_RETRIES ?? 0),
    expect: { poll: { timeout: 30_000 } },
    // A failed assertion shows whole values. By default they are cut after 40 characters.
    chaiConfig: { truncateThreshold: 0 },
    reporters: ["default", "json"],
    outputFile: { json: "results/tests.json" },
  },
});
