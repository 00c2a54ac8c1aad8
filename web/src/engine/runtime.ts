/** ONNX Runtime in WebAssembly: models by address, run on features. */
import * as ort from "onnxruntime-web/wasm";
import type { Feature } from "../numbers/feature.ts";

/** More threads than this gain nothing for networks so small. */
const MOST_THREADS = 4;

/** Say where the runtime's own two files lie; `base` is the page's folder. Threads need a page that is isolated. */
export function prepareRuntime(base: string): void {
  ort.env.wasm.wasmPaths = {
    mjs: new URL("runtime/ort-wasm-simd-threaded.js", base).href,
    wasm: new URL("runtime/ort-wasm-simd-threaded.wasm", base).href,
  };
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  ort.env.logLevel = "error";
}

/** A model whose inputs and one output are arrays of floats. */
export class Model {
  private constructor(private readonly session: ort.InferenceSession) {}

  static async load(address: URL): Promise<Model> {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address.pathname} could not be loaded (${response.status})`);
    return new Model(await ort.InferenceSession.create(new Uint8Array(await response.arrayBuffer())));
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
  return new ort.Tensor("float32", values, shape);
}
