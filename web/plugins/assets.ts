/** What the page is served with and the repository has elsewhere: weights, sample photos, ONNX Runtime's own files. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import type { Plugin } from "vite";
import { SAMPLES } from "../src/page/samples.ts";

const ARCHIVES = {
  mobilenet: "ckpts/mobilenet/student.onnx.zip",
  vgg: "ckpts/vgg/student.onnx.zip",
  grade: "ckpts/grade/predictor.onnx.zip",
};
const PHOTOS = "notebooks/photos";
const RUNTIME = "node_modules/onnxruntime-web/dist";
/** For WebAssembly; for WebGPU. */
const RUNTIME_FILES = ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"];
const DESCRIPTION = "description.json";

/** Fill `public/` before anything is served or built; `web` is this folder, which lies in the checkout. */
export function assets(web: string): Plugin {
  return {
    name: "assets",
    config() {
      const checkout = dirname(web);
      for (const [name, archive] of Object.entries(ARCHIVES))
        unpack(join(checkout, archive), join(web, "public/weights", name));
      for (const photo of SAMPLES.flatMap(({ content, style }) => [content, style])) {
        copy(join(checkout, PHOTOS, photo), join(web, "public/samples", photo));
      }
      // Not .mjs: there are web servers that do not know it for a script.
      for (const name of RUNTIME_FILES) {
        copy(join(web, RUNTIME, `${name}.mjs`), join(web, "public/runtime", `${name}.js`));
        copy(join(web, RUNTIME, `${name}.wasm`), join(web, "public/runtime", `${name}.wasm`));
      }
    },
  };
}

function unpack(archive: string, folder: string): void {
  require(archive);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(unzipSync(readFileSync(archive)))) {
    writeFileSync(join(folder, name), name === DESCRIPTION ? withoutRecord(content) : content);
  }
}

/** A description without the record of the training, which the page has no use for. */
function withoutRecord(description: Uint8Array): string {
  const { record: _, ...rest } = JSON.parse(new TextDecoder().decode(description));
  return JSON.stringify(rest);
}

function copy(from: string, to: string): void {
  require(from);
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function require(path: string): void {
  if (!existsSync(path)) throw new Error(`${path} is missing: build the page in a checkout, after npm ci`);
}
