/** The result at the photo's full size, tile by tile: a photo may be larger than the graphics card's textures. */
import type { Look } from "../numbers/look.ts";
import type { Lut } from "../numbers/lut.ts";
import { type Part, Renderer, type Settings, type Size } from "./renderer.ts";

const TILE = 2048;

/** Called before each tile with the share that is done; throws where the work was cancelled. */
export type TileStep = (share: number) => Promise<void>;

/** What a photo is drawn through. */
export interface Appearance {
  look: Look;
  grade: Lut;
  settings: Settings;
  mask: HTMLCanvasElement | undefined;
  colorSpace: PredefinedColorSpace;
}

/** The result as a file's bytes; `format` is image/jpeg or image/png. Transparent parts turn white in JPEG. */
export async function fullSizeResult(photo: Blob, appearance: Appearance, format: string, step: TileStep): Promise<Blob> {
  await step(0);
  const bitmap = await createImageBitmap(photo, { premultiplyAlpha: "none" });
  const renderer = new Renderer(new OffscreenCanvas(1, 1));
  try {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { colorSpace: appearance.colorSpace });
    if (!context) throw new Error(tooLarge(bitmap));
    if (format === "image/jpeg") {
      context.fillStyle = "white";
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    renderer.setColorSpace(appearance.colorSpace);
    renderer.setLook(appearance.look);
    renderer.setGrade(appearance.grade);
    renderer.setMask(appearance.mask);
    const parts = tilesOf(bitmap, Math.min(TILE, renderer.largestSide));
    for (const [index, part] of parts.entries()) {
      await step(index / parts.length);
      await drawTile(renderer, bitmap, part, appearance.settings);
      context.drawImage(renderer.canvas, part.x, part.y);
    }
    await step(1);
    return await canvas.convertToBlob({ type: format, quality: 0.95 }).catch(() => {
      throw new Error(tooLarge(bitmap));
    });
  } finally {
    bitmap.close();
    renderer.release();
  }
}

async function drawTile(renderer: Renderer, bitmap: ImageBitmap, part: Part, settings: Settings): Promise<void> {
  const tile = await createImageBitmap(bitmap, part.x, part.y, part.width, part.height, { premultiplyAlpha: "none" });
  renderer.resize(part);
  renderer.setPhoto(tile);
  tile.close();
  renderer.draw(settings, bitmap, part);
}

/** Rectangles of at most `side` pixels that cover a photo. */
export function tilesOf({ width, height }: Size, side: number): Part[] {
  const parts: Part[] = [];
  for (let y = 0; y < height; y += side) {
    for (let x = 0; x < width; x += side) {
      parts.push({ x, y, width: Math.min(side, width - x), height: Math.min(side, height - y) });
    }
  }
  return parts;
}

function tooLarge({ width, height }: Size): string {
  return `A result of ${width} by ${height} pixels is more than this browser can hold. Take a smaller photo.`;
}
