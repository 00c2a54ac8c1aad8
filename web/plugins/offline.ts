/** The service worker of a build: told which files there are, so that the page works offline after the first visit. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";
import { HEADERS } from "./headers.ts";

export const SERVICE_WORKER = "service-worker.js";
/** 27 MB that only some browsers have a use for; the others' runtime does the same, in WebAssembly. */
const KEPT_WHEN_USED = /webgpu|asyncify/;

/** Put the list of a build's files, and a version that changes with any of them, in front of the service worker. */
export function offline(folder: string): Plugin {
  return {
    name: "offline",
    apply: "build",
    closeBundle() {
      const script = join(folder, SERVICE_WORKER);
      const files = filesIn(folder).filter((file) => file !== script);
      const hash = createHash("sha256").update(JSON.stringify(HEADERS));
      for (const file of files) hash.update(file).update(readFileSync(file));
      const names = files.map((file) => relative(folder, file).split(sep).join("/"));
      const first = names.filter((name) => !KEPT_WHEN_USED.test(name));
      const constants = { FILES: first, VERSION: hash.digest("hex").slice(0, 16), HEADERS };
      const lines = Object.entries(constants).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
      writeFileSync(script, `${lines.join("\n")}\n${readFileSync(script, "utf8")}`);
    },
  };
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
