/** The predictor of grades: one colour map for a whole photo, from two photos. */
import { colourStatistics, DESCRIPTOR_SIDE, type Moments, moments, transport } from "../numbers/descriptor.ts";
import { type Feature, fromBytes } from "../numbers/feature.ts";
import { type Lut, rising } from "../numbers/lut.ts";
import { shrink } from "../numbers/shrink.ts";
import { Model, tensorOf } from "./runtime.ts";

/** All that a grade needs of a photo. */
export interface Descriptor {
  /** Statistics of colour, and what the predictor's encoder sees. */
  vector: Float32Array;
  moments: Moments;
}

export class Grader {
  private constructor(
    private readonly encoder: Model,
    private readonly mapper: Model,
  ) {}

  static async load(folder: URL): Promise<Grader> {
    const parts = ["encoder", "mapper"].map((part) => Model.load(new URL(`${part}.onnx`, folder)));
    const [encoder, mapper] = await Promise.all(parts);
    return new Grader(encoder, mapper);
  }

  async describe(photo: Feature): Promise<Descriptor> {
    const copy = squareCopy(photo);
    const seen = await this.encoder.run({ copy: tensorOf(copy.values, [1, DESCRIPTOR_SIDE, DESCRIPTOR_SIDE, 3]) });
    const vector = Float32Array.from([...colourStatistics(copy), ...(seen.data as Float32Array)]);
    return { vector, moments: moments(copy) };
  }

  /** The grade that gives a content the look of a style: the identity where both are equal, and a grey ramp never falls. */
  async lut(content: Descriptor, style: Descriptor): Promise<Lut> {
    const output = await this.mapper.run({
      content: tensorOf(content.vector, [1, content.vector.length]),
      style: tensorOf(style.vector, [1, style.vector.length]),
      transport: tensorOf(transport(content.moments, style.moments), [1, 4, 3]),
    });
    return rising({ size: output.dims[1], nodes: output.data as Float32Array });
  }
}

/** The square copy that a photo is described by; Python takes it of the whole photo, the page of the network's copy. */
function squareCopy(photo: Feature): Feature {
  const rgba = new Uint8ClampedArray(photo.height * photo.width * 4);
  for (let i = 0; i < photo.height * photo.width; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = photo.values[3 * i + c] * 255;
  }
  const rowLength = photo.width * 4;
  const bytes = shrink(photo, { height: DESCRIPTOR_SIDE, width: DESCRIPTOR_SIDE }, (start, count) => {
    return rgba.subarray(start * rowLength, (start + count) * rowLength);
  });
  return fromBytes(DESCRIPTOR_SIDE, DESCRIPTOR_SIDE, bytes);
}
