/** A photo that was chosen, dropped, pasted or taken: its file, and copies to look at. */
import { gamutOf } from "./gamut.ts";
import type { Size } from "../view/renderer.ts";

/** Longer side of the picture that is drawn while sliders move. */
const VIEW_SIDE = 2048;
const THUMBNAIL_SIDE = 240;
/** As in the Python package. */
const SMALLEST_SIDE = 16;

export interface Photo extends Size {
  id: number;
  name: string;
  blob: Blob;
  /** What its colours need. */
  colorSpace: PredefinedColorSpace;
  /** What is drawn while sliders move; closed once the stage has it. */
  view: ImageBitmap;
  thumbnail: HTMLCanvasElement;
}

let photos = 0;

/** @throws Error, a sentence for the user, where `blob` is no picture that can be used. */
export async function openPhoto(blob: Blob, name: string): Promise<Photo> {
  const bitmap = await decoded(blob, name);
  try {
    const { width, height } = bitmap;
    if (Math.min(width, height) < SMALLEST_SIDE) {
      throw new Error(`${name} is ${width} by ${height} pixels, but must be at least ${SMALLEST_SIDE} by ${SMALLEST_SIDE}.`);
    }
    const view = await reduced(bitmap, VIEW_SIDE);
    const colorSpace = gamutOf(bitmap);
    return { id: ++photos, name, blob, colorSpace, width, height, view, thumbnail: thumbnailOf(view) };
  } finally {
    bitmap.close();
  }
}

async function decoded(blob: Blob, name: string): Promise<ImageBitmap> {
  if (blob.size === 0) throw new Error(`${name} is empty.`);
  try {
    return await createImageBitmap(blob, { premultiplyAlpha: "none" });
  } catch {
    throw new Error(`${name} cannot be read: it is no picture that this browser knows, damaged, or too large.`);
  }
}

/** A copy of at most `side` pixels on the longer side. */
function reduced(bitmap: ImageBitmap, side: number): Promise<ImageBitmap> {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  return createImageBitmap(bitmap, {
    premultiplyAlpha: "none",
    resizeWidth: Math.max(1, Math.round(scale * bitmap.width)),
    resizeHeight: Math.max(1, Math.round(scale * bitmap.height)),
    resizeQuality: "high",
  });
}

function thumbnailOf(bitmap: ImageBitmap): HTMLCanvasElement {
  const scale = Math.min(1, THUMBNAIL_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(scale * bitmap.width));
  canvas.height = Math.max(1, Math.round(scale * bitmap.height));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}
