/** The copy of a photo that the network sees. */
import { type Feature, fromBytes } from "../numbers/feature.ts";
import { COPY_SIDE, shrink, shrunkSize } from "../numbers/shrink.ts";

/** Colours of a photo of at most `COPY_SIDE` pixels on its longer side; transparent parts count as white. */
export async function copyOf(photo: Blob, colorSpace: PredefinedColorSpace): Promise<Feature> {
  const bitmap = await createImageBitmap(photo);
  const from = { height: bitmap.height, width: bitmap.width };
  const to = shrunkSize(from.height, from.width, COPY_SIDE);
  const readRows = (start: number, count: number) => {
    const context = new OffscreenCanvas(from.width, count).getContext("2d", { colorSpace, willReadFrequently: true });
    if (!context) throw new Error("This browser gives no canvas to read the photo with.");
    context.fillStyle = "white";
    context.fillRect(0, 0, from.width, count);
    context.drawImage(bitmap, 0, -start);
    return context.getImageData(0, 0, from.width, count).data;
  };
  try {
    return fromBytes(to.height, to.width, shrink(from, to, readRows));
  } finally {
    bitmap.close();
  }
}
