/** The student network: four encoder and four decoder blocks, joined by high-frequency skips. */
import { type Feature, cropped, highFrequencies, padToMultiple } from "../numbers/feature.ts";
import { affineMap, applyAffine, type Statistics, statistics, type Transform } from "../numbers/transforms.ts";
import { Model } from "./runtime.ts";

export type Backbone = "mobilenet" | "vgg";

/** Called between blocks: it shows progress, lets messages in, and throws where the work was cancelled. */
export type Step = (text: string) => Promise<void>;

interface Description {
  /** Image pixels per feature pixel, at each level. */
  strides: number[];
}

/** A photo as the decoder takes it: the coarsest feature, and the skips of all levels, 0 first. */
export interface Encoded {
  height: number;
  width: number;
  feature: Feature;
  skips: Feature[];
}

export class Student {
  private constructor(
    private readonly stride: number,
    private readonly encoders: Model[],
    private readonly decoders: Model[],
  ) {}

  /** Load the blocks in `folder`, an address that ends in a slash. */
  static async load(folder: URL): Promise<Student> {
    const description: Description = await (await fetch(new URL("description.json", folder))).json();
    const levels = description.strides.map((_, level) => level);
    const blocks = (part: string) =>
      Promise.all(levels.map((level) => Model.load(new URL(`${part}_${level}.onnx`, folder))));
    return new Student(description.strides[levels.length - 1], await blocks("encoder"), await blocks("decoder"));
  }

  /** What decoding a photo's colours again takes. */
  async encode(photo: Feature, step: Step, what: string): Promise<Encoded> {
    const passed = await this.passThrough(photo, step, what);
    const { height, width } = photo;
    return { height, width, feature: passed[passed.length - 1], skips: passed.slice(0, -1).map(highFrequencies) };
  }

  /** The statistics of a photo's features: all that a style is. */
  async measure(photo: Feature, step: Step, what: string): Promise<Statistics[]> {
    const passed = await this.passThrough(photo, step, what);
    return passed.slice(1).map(statistics);
  }

  /** The padded photo, and what each encoder block makes of it. */
  private async passThrough(photo: Feature, step: Step, what: string): Promise<Feature[]> {
    const passed = [padToMultiple(photo, this.stride)];
    for (const encoder of this.encoders) {
      await step(what);
      passed.push(await encoder.runFeatures({ feature: passed[passed.length - 1] }));
    }
    return passed;
  }

  /** The content in the statistics of a style, coarse to fine; colours in [0, 1]. */
  async transfer(content: Encoded, style: Statistics[], transform: Transform, step: Step, what: string): Promise<Feature> {
    let x = content.feature;
    for (let level = this.decoders.length - 1; level >= 0; level--) {
      await step(what);
      const moved = applyAffine(affineMap(statistics(x), style[level], transform), x);
      x = await this.decoders[level].runFeatures({ feature: moved, skip: content.skips[level] });
    }
    const result = cropped(x, content.height, content.width);
    const { values } = result;
    for (let i = 0; i < values.length; i++) values[i] = Math.min(Math.max(values[i], 0), 1);
    return result;
  }
}
