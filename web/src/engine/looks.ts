/** The whole pipeline: a content and styles in, what each style does to the content out. */
import { averagedOverPlaces } from "../numbers/average.ts";
import { type Feature, fromBytes } from "../numbers/feature.ts";
import { fitLook } from "../numbers/fit.ts";
import type { Lut } from "../numbers/lut.ts";
import type { Statistics } from "../numbers/transforms.ts";
import { copyOf } from "./copy.ts";
import { type Descriptor, Grader } from "./grader.ts";
import type { FitRequest, Fitted, PhotoFile } from "./messages.ts";
import { Remembered } from "./remembered.ts";
import { type Backbone, type Encoded, type Step, Student } from "./student.ts";

/** Of a request: reading and encoding the content; encoding, decoding, fit and grade of each style. */
export const STEPS_OF_CONTENT = 5;
export const STEPS_OF_STYLE = 10;
const FIRST_BACKBONE: Backbone = "mobilenet";
const WARM_UP_SIDE = 256;
/** A look's average, for a file, is taken over one pixel of so many in each direction. */
const THINNING = 4;

/** A photo, in which colour space it is read, and what all that is known of it is kept under. */
interface ToRead {
  key: string;
  blob: Blob;
  colorSpace: PredefinedColorSpace;
}

/** Fits looks, and remembers what it knows of the photos that are on the page. */
export class LookMaker {
  private readonly students = new Remembered<Student>();
  private readonly graders = new Remembered<Grader>();
  private readonly copies = new Remembered<Feature>();
  private readonly descriptors = new Remembered<Descriptor>();
  private readonly styles = new Remembered<Statistics[]>();
  private readonly contents = new Remembered<Encoded>();

  /** `base` is the page's folder. */
  constructor(private readonly base: string) {}

  /** Load what most visitors need, and run it once: WebAssembly is fast only after that. */
  async warmUp(): Promise<void> {
    const network = await this.student(FIRST_BACKBONE);
    const grey = fromBytes(WARM_UP_SIDE, WARM_UP_SIDE, new Uint8Array(3 * WARM_UP_SIDE ** 2).fill(128));
    const go = async () => undefined;
    const style = await network.measure(grey, go, "");
    fitLook(grey, await network.transfer(await network.encode(grey, go, ""), style, "zca", go, ""));
    const described = await (await this.grader()).describe(grey);
    await (await this.grader()).lut(described, described);
  }

  private student(backbone: Backbone): Promise<Student> {
    return this.students.get(backbone, () => Student.load(new URL(`weights/${backbone}/`, this.base)));
  }

  async fit(request: FitRequest, step: Step): Promise<Fitted[]> {
    const { backbone, transform, colorSpace } = request;
    const toRead = ({ id, blob }: PhotoFile): ToRead => ({ key: `${id} ${colorSpace} `, blob, colorSpace });
    const content = toRead(request.content);
    const styles = request.styles.map(toRead);
    this.forgetAllBut([content, ...styles]);
    await step("Reading the photos");
    const network = await this.student(backbone);
    const colours = await this.copy(content);
    const encoded = await this.contents.get(content.key + backbone, () => {
      return network.encode(colours, step, "Looking at the content");
    });
    const fitted: Fitted[] = [];
    for (const style of styles) {
      const measured = await this.styles.get(style.key + backbone, async () => {
        return network.measure(await this.copy(style), step, "Looking at the style");
      });
      const result = await network.transfer(encoded, measured, transform, step, "Carrying the style over");
      await step("Fitting the look");
      const rich = fitLook(colours, result);
      await step("Grading");
      const natural = await this.grade(content, style);
      fitted.push({ rich, natural, richAverage: averagedOverPlaces(rich, thinned(colours, THINNING)) });
    }
    return fitted;
  }

  private grader(): Promise<Grader> {
    return this.graders.get("grade", () => Grader.load(new URL("weights/grade/", this.base)));
  }

  private copy({ key, blob, colorSpace }: ToRead): Promise<Feature> {
    return this.copies.get(key, () => copyOf(blob, colorSpace));
  }

  private async grade(content: ToRead, style: ToRead): Promise<Lut> {
    const grader = await this.grader();
    const described = (photo: ToRead) => {
      return this.descriptors.get(photo.key, async () => grader.describe(await this.copy(photo)));
    };
    return grader.lut(await described(content), await described(style));
  }

  /** A photo that is no longer on the page takes no memory. */
  private forgetAllBut(photos: ToRead[]): void {
    const keys = photos.map(({ key }) => key);
    for (const remembered of [this.copies, this.descriptors, this.styles, this.contents]) remembered.keepOnly(keys);
  }
}

/** One pixel of `step` in each direction. */
function thinned({ height, width, channels, values }: Feature, step: number): Feature {
  const thin = { height: Math.ceil(height / step), width: Math.ceil(width / step), channels };
  const result = new Float32Array(thin.height * thin.width * channels);
  for (let y = 0; y < thin.height; y++) {
    for (let x = 0; x < thin.width; x++) {
      const from = (y * step * width + x * step) * channels;
      result.set(values.subarray(from, from + channels), (y * thin.width + x) * channels);
    }
  }
  return { ...thin, values: result };
}
