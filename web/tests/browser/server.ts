/** Serves what `npm run build` built, once for all browser tests, in a folder of the server as anybody may. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { HEADERS } from "../../plugins/headers.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The page on a server that sends the headers it should. */
    address: string;
    /** The same on a server that knows nothing of them. */
    plainAddress: string;
  }
}

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
/** A folder, so that every address within the page has to be relative. */
const FOLDER = "/some/folder/";
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export default async function setup(project: TestProject): Promise<() => void> {
  if (!existsSync(join(DIST, "index.html"))) throw new Error("There is no build to test: npm run build");
  const servers = [HEADERS, {}].map(serve);
  const [address, plainAddress] = await Promise.all(servers);
  project.provide("address", address.url);
  project.provide("plainAddress", plainAddress.url);
  return () => [address, plainAddress].forEach(({ close }) => close());
}

function serve(headers: Record<string, string>): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const name = path.startsWith(FOLDER) ? normalize(path.slice(FOLDER.length) || "index.html") : "..";
    const file = join(DIST, name);
    if (name.startsWith("..") || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, "localhost", () => {
      const { port } = server.address() as AddressInfo;
      resolve({ url: `http://localhost:${port}${FOLDER}`, close: () => server.close() });
    });
  });
}
