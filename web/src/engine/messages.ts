/** What the page and its worker say to each other. */
import type { Look } from "../numbers/look.ts";
import type { Lut } from "../numbers/lut.ts";
import type { Transform } from "../numbers/transforms.ts";
import type { Processor } from "./runtime.ts";
import type { Backbone } from "./student.ts";

/** A photo as it came; the worker keeps what it knows of one under its `id`. */
export interface PhotoFile {
  id: number;
  blob: Blob;
}

/** Say where the page's folder is, before anything else: weights and runtime lie there. */
export interface OpenRequest {
  kind: "open";
  base: string;
  /** What runs the networks; undefined: what is fastest. */
  processor?: Processor;
}

/** Ask for the looks that carry the styles to the content. */
export interface FitRequest {
  kind: "fit";
  job: number;
  content: PhotoFile;
  styles: PhotoFile[];
  /** That all photos' colours are read in: the content's. */
  colorSpace: PredefinedColorSpace;
  backbone: Backbone;
  transform: Transform;
}

/** Stop what is under way. */
export interface CancelRequest {
  kind: "cancel";
}

export type Request = OpenRequest | FitRequest | CancelRequest;

/** What one style does to the content: by the student ("rich"), and by a learned grade ("natural"). */
export interface Fitted {
  rich: Look;
  natural: Lut;
  /** The look averaged over all places, for a LUT file. */
  richAverage: Float32Array;
}

export type Reply =
  | { kind: "ready"; processor: Processor }
  | { kind: "progress"; job: number; share: number; text: string }
  | { kind: "fitted"; job: number; fitted: Fitted[] }
  | { kind: "failed"; job: number; message: string };
