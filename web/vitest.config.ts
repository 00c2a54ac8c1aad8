import { defineConfig } from "vitest/config";

/** Tests that drive a browser, one file after the other: two cores at once would say nothing about time. */
const inBrowser = {
  globalSetup: "tests/browser/server.ts",
  testTimeout: 120_000,
  hookTimeout: 60_000,
  fileParallelism: false,
};

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/*.test.ts"] } },
      { test: { name: "browser", include: ["tests/browser/*.test.ts"], ...inBrowser } },
      { test: { name: "measure", include: ["tests/measure/*.test.ts"], ...inBrowser } },
    ],
  },
});
