import { expect, test } from "vitest";
import { fitLook } from "../../src/numbers/fit.ts";
import { identityLook, mixLooks } from "../../src/numbers/look.ts";
import { expectClose, featureOf, numbers } from "./numbers.ts";

test("a look is fitted as Python fits it", () => {
  const { content, result, cells, grid } = numbers.look;
  const look = fitLook(featureOf(content), featureOf(result), cells);
  expect([look.rows, look.columns, look.bins, 4, 3]).toEqual(grid.shape);
  expectClose(look.maps, grid, 1e-4);
});

test("half of a look is the mean of it and nothing", () => {
  const { content, result, cells } = numbers.look;
  const look = fitLook(featureOf(content), featureOf(result), cells);
  const half = mixLooks([look, identityLook(look)], [0.5, 0.5]);
  expect(half.maps[0]).toBeCloseTo((look.maps[0] + 1) / 2, 6);
  expect(half.maps[1]).toBeCloseTo(look.maps[1] / 2, 6);
});
