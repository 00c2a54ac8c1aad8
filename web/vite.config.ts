import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { assets } from "./plugins/assets.ts";
import { CONTENT_SECURITY_POLICY, HEADERS } from "./plugins/headers.ts";
import { offline, SERVICE_WORKER } from "./plugins/offline.ts";

const here = fileURLToPath(new URL(".", import.meta.url)).replace(/\/$/, "");

/** The policy within the page, for servers that send no headers; Vite's own server needs what it forbids. */
const policy: Plugin = {
  name: "policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: CONTENT_SECURITY_POLICY },
      injectTo: "head-prepend",
    },
  ],
};

export default defineConfig({
  base: "./", // any folder of a server
  plugins: [assets(here), policy, offline(`${here}/dist`)],
  // ONNX Runtime without its WebAssembly inlined as a second script: plugins/assets.ts lays that out.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "import"] },
  worker: { format: "es" },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy allows no data: addresses
    rolldownOptions: {
      input: { index: `${here}/index.html`, "service-worker": `${here}/src/service-worker.ts` },
      output: { entryFileNames: ({ name }) => (name === "service-worker" ? SERVICE_WORKER : "assets/[name]-[hash].js") },
    },
  },
  server: { headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" } },
  preview: { headers: HEADERS },
});
