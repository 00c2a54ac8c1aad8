/** Whether a photo has colours that sRGB cannot hold. Such a photo is worked on, shown and saved in Display P3. */

/** Side in pixels of the copy that is looked at. */
const SIDE = 128;
/** Light of a primary below none, as a share of white: rounding to bytes alone stays well within it. */
const TOLERANCE = 0.01;
/** Share of the pixels that has to lie outside. */
const FEW = 0.001;
/** Linear Display P3 to linear sRGB (both D65). */
const TO_SRGB = [
  [1.2249, -0.2247, 0],
  [-0.042, 1.0419, 0],
  [-0.0197, -0.0786, 1.0979],
];

export function gamutOf(bitmap: ImageBitmap): PredefinedColorSpace {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d", { colorSpace: "display-p3", willReadFrequently: true });
  context?.drawImage(bitmap, 0, 0, SIDE, SIDE);
  const pixels = context?.getImageData(0, 0, SIDE, SIDE);
  if (!pixels || pixels.colorSpace !== "display-p3") return "srgb"; // a browser that knows no other
  let outside = 0;
  for (let i = 0; i < pixels.data.length; i += 4) {
    const light = Array.from(pixels.data.subarray(i, i + 3), (value) => linearLight(value / 255));
    if (TO_SRGB.some((row) => row[0] * light[0] + row[1] * light[1] + row[2] * light[2] < -TOLERANCE)) outside++;
  }
  return outside > FEW * SIDE * SIDE ? "display-p3" : "srgb";
}

/** The curve that sRGB and Display P3 share. */
function linearLight(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
