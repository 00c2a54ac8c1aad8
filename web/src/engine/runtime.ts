/** ONNX Runtime on the graphics card (WebGPU) or in WebAssembly: models by address, run on features. */
import type * as ort from "onnxruntime-web/wasm";
import type { Feature } from "../numbers/feature.ts";

export type Processor = "webgpu" | "wasm";

/** More threads than this gain nothing for networks so small. */
const MOST_THREADS = 4;
/** Names of the runtime's own two files, without their endings. */
const FILES = { webgpu: "ort-wasm-simd-threaded.asyncify", wasm: "ort-wasm-simd-threaded" };

let runtime: typeof ort;
let prepared: Processor;
/** The last session that was asked for: with WebGPU only one can be made at a time. */
let lastSession: Promise<unknown> = Promise.resolve();

/** WebGPU where there is a graphics card for it: in software it is slower than WebAssembly. */
export async function fastest(): Promise<Processor> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return adapter && !adapter.info.isFallbackAdapter ? "webgpu" : "wasm";
}

/** Load the runtime; `base` is the page's folder. Threads need a page that is isolated. */
export async function prepareRuntime(base: string, processor: Processor): Promise<void> {
  const loaded = processor === "webgpu" ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm");
  runtime = await loaded;
  prepared = processor;
  const { wasm } = runtime.env;
  wasm.wasmPaths = {
    mjs: new URL(`runtime/${FILES[processor]}.js`, base).href,
    wasm: new URL(`runtime/${FILES[processor]}.wasm`, base).href,
  };
  wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  runtime.env.logLevel = "error";
}

/** A model whose inputs and one output are arrays of floats. */
export class Model {
  private constructor(private readonly session: ort.InferenceSession) {}

  static async load(address: URL): Promise<Model> {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address.pathname} could not be loaded (${response.status})`);
    const model = new Uint8Array(await response.arrayBuffer());
    const create = () => runtime.InferenceSession.create(model, { executionProviders: [prepared], logSeverityLevel: 3 });
    const session = lastSession.then(create, create);
    lastSession = session;
    return new Model(await session);
  }

  async run(inputs: Record<string, ort.Tensor>): Promise<ort.Tensor> {
    const outputs = await this.session.run(inputs);
    return outputs[this.session.outputNames[0]];
  }

  /** Run on features by name; the output is a feature too. */
  async runFeatures(inputs: Record<string, Feature>): Promise<Feature> {
    const tensors = Object.entries(inputs).map(([name, { values, height, width, channels }]) => {
      return [name, tensorOf(values, [1, height, width, channels])] as const;
    });
    const output = await this.run(Object.fromEntries(tensors));
    const [, height, width, channels] = output.dims;
    return { height, width, channels, values: output.data as Float32Array };
  }
}

export function tensorOf(values: Float32Array, shape: number[]): ort.Tensor {
  return new runtime.Tensor("float32", values, shape);
}
