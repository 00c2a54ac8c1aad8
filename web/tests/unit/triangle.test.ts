import { expect, test } from "vitest";
import { sharesAt } from "../../src/page/triangle.ts";

test.each<[string, [number, number], number[]]>([
  ["a corner is one style", [100, 0], [1, 0, 0]],
  ["the middle is equal shares", [100, 116], [1 / 3, 1 / 3, 1 / 3]],
  ["a side's middle is half and half", [100, 174], [0, 0.5, 0.5]],
  ["outside counts as the border", [300, 174], [0, 0, 1]],
])("%s", (_, point, shares) => {
  sharesAt(point).forEach((share, index) => expect(share).toBeCloseTo(shares[index], 2));
});
