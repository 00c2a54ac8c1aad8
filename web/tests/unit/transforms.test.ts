import { Matrix } from "ml-matrix";
import { expect, test } from "vitest";
import {
  affineMap,
  applyAffine,
  matrixPower,
  statistics,
  TRANSFORMS,
  type Transform,
} from "../../src/numbers/transforms.ts";
import { expectClose, featureOf, numbers, rowsOf } from "./numbers.ts";

test("mean and covariance of a feature far from zero", () => {
  const { feature, mean, covariance } = numbers.statistics;
  const measured = statistics(featureOf(feature));
  expectClose(measured.mean, mean, 1e-5);
  expectClose(measured.covariance.to1DArray(), covariance, 1e-5);
});

test.each(Object.keys(TRANSFORMS) as Transform[])("the affine map of %s is Python's", (transform) => {
  const [content, style] = [numbers.affineMaps.content, numbers.affineMaps.style].map(({ mean, covariance }) => ({
    mean: mean.values,
    covariance: new Matrix(rowsOf(covariance)),
  }));
  const map = affineMap(content, style, transform);
  expectClose(map.matrix.to1DArray(), numbers.affineMaps.maps[transform].matrix, 1e-6);
  expectClose(map.offset, numbers.affineMaps.maps[transform].offset, 1e-6);
});

test("a root squared is the matrix", () => {
  const matrix = new Matrix(rowsOf(numbers.affineMaps.style.covariance));
  const root = matrixPower(matrix, 0.5);
  expect(Matrix.sub(root.mmul(root), matrix).norm()).toBeLessThan(1e-9);
});

test("a transformed feature has the style's mean", () => {
  const feature = featureOf(numbers.statistics.feature);
  const content = statistics(feature);
  const style = { mean: [1, 2, 3, 4], covariance: Matrix.eye(4).mul(2) };
  const moved = statistics(applyAffine(affineMap(content, style, "zca"), feature));
  moved.mean.forEach((mean, i) => expect(mean).toBeCloseTo(style.mean[i], 4));
});
