import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/*.test.ts"] } },
      {
        test: {
          name: "browser",
          include: ["tests/browser/*.test.ts"],
          globalSetup: "tests/browser/server.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false, // two cores: times would say nothing
        },
      },
    ],
  },
});
