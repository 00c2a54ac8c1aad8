import { expect, test } from "vitest";
import { cropped, highFrequencies, padToMultiple } from "../../src/numbers/feature.ts";
import { shrink, shrunkSize } from "../../src/numbers/shrink.ts";
import { expectClose, featureOf, numbers } from "./numbers.ts";

test("high frequencies are what is left of a 3x3 mean", () => {
  const { feature, result } = numbers.highFrequencies;
  expectClose(highFrequencies(featureOf(feature)).values, result, 1e-6);
});

test("padding reflects at the bottom and right, also where it is longer than the photo", () => {
  const { feature, stride, result } = numbers.pad;
  expectClose(padToMultiple(featureOf(feature), stride).values, result, 1e-7);
});

test("cropping undoes padding", () => {
  const feature = featureOf(numbers.pad.feature);
  expect(cropped(padToMultiple(feature, 8), feature.height, feature.width)).toEqual(feature);
});

test("shrinking averages areas, to one grey level", () => {
  const { pixels, side, result } = numbers.shrink;
  const [height, width] = pixels.shape;
  const rgba = new Uint8Array(height * width * 4);
  for (let i = 0; i < height * width; i++) rgba.set(pixels.values.slice(3 * i, 3 * i + 3), 4 * i);
  const size = shrunkSize(height, width, side);
  const shrunk = shrink({ height, width }, size, (start, count) =>
    rgba.subarray(start * width * 4, (start + count) * width * 4),
  );
  expect([size.height, size.width, 3]).toEqual(result.shape);
  expectClose(shrunk, result, 1.01);
});
