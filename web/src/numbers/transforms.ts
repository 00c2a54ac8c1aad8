/**
 * Feature statistics, and the transforms that carry one feature's statistics to another's.
 *
 * Every transform ends as one affine map a level, x -> A (x - content mean) + style mean. Matrices are as wide as a feature
 * (64 at most), so their roots cost milliseconds. The same mathematics as in the Python package, in double precision.
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { emptyFeature, type Feature } from "./feature.ts";

/** Eigenvalues at or below this are dropped before a root is taken, as in the paper's code. */
const SMALLEST_EIGENVALUE = 1e-5;
/** Added to a variance before adain divides by its root. */
const ADAIN_EPSILON = 1e-8;
/** Of the covariances between channels, what `shrinkage` leaves. */
const CORRELATIONS_LEFT = 0.5;

export interface Statistics {
  mean: number[];
  covariance: Matrix;
}

/** x -> matrix x + offset, on every pixel. */
export interface AffineMap {
  matrix: Matrix;
  offset: number[];
}

/** Mean and covariance over the pixels. */
export function statistics(feature: Feature): Statistics {
  const { channels, values } = feature;
  const count = feature.height * feature.width;
  const mean = new Float64Array(channels);
  for (let from = 0; from < values.length; from += channels) {
    for (let i = 0; i < channels; i++) mean[i] += values[from + i];
  }
  for (let i = 0; i < channels; i++) mean[i] /= count;

  // About the mean: activations lie so far from zero that squares about zero lose the digits that whitening magnifies.
  const products = new Float64Array(channels * channels);
  const centred = new Float64Array(channels);
  for (let from = 0; from < values.length; from += channels) {
    for (let i = 0; i < channels; i++) centred[i] = values[from + i] - mean[i];
    for (let i = 0; i < channels; i++) {
      const first = centred[i];
      const row = i * channels;
      for (let j = 0; j <= i; j++) products[row + j] += first * centred[j];
    }
  }
  const covariance = new Matrix(channels, channels);
  for (let i = 0; i < channels; i++) {
    for (let j = 0; j <= i; j++) {
      covariance.set(i, j, products[i * channels + j] / count);
      covariance.set(j, i, products[i * channels + j] / count);
    }
  }
  return { mean: Array.from(mean), covariance };
}

/** A power of a symmetric positive semi-definite matrix, over its eigenvalues above `smallest`. */
export function matrixPower(matrix: Matrix, exponent: number, smallest = SMALLEST_EIGENVALUE): Matrix {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const powers = realEigenvalues.map((value) => (value > smallest ? value ** exponent : 0));
  return eigenvectorMatrix.clone().mulRowVector(powers).mmul(eigenvectorMatrix.transpose());
}

/** Whitening and colouring (WCT, Li et al. 2017): (K_s + I)^1/2 (K_c + I)^-1/2. */
function zca(content: Matrix, style: Matrix): Matrix {
  const identity = Matrix.eye(content.rows);
  return matrixPower(Matrix.add(style, identity), 0.5).mmul(matrixPower(Matrix.add(content, identity), -0.5));
}

/** Optimal transport between Gaussians: P^-1 (P K_s P + I)^1/2 P^-1 with P = (K_c + I)^1/2, as in the paper's code. */
function ot(content: Matrix, style: Matrix): Matrix {
  const identity = Matrix.eye(content.rows);
  const root = matrixPower(Matrix.add(content, identity), 0.5);
  const inverse = matrixPower(Matrix.add(content, identity), -0.5);
  const middle = matrixPower(root.mmul(style).mmul(root).add(identity), 0.5);
  return inverse.mmul(middle).mmul(inverse);
}

/** Channel by channel, without correlations (Huang & Belongie 2017). */
function adain(content: Matrix, style: Matrix): Matrix {
  const scales = content
    .diag()
    .map((variance, i) => Math.sqrt((style.get(i, i) + ADAIN_EPSILON) / (variance + ADAIN_EPSILON)));
  return Matrix.diag(scales);
}

/** `zca` of covariances shrunk halfway to their diagonals: fewer glows at the same style. */
function shrinkage(content: Matrix, style: Matrix): Matrix {
  return zca(shrunk(content), shrunk(style));
}

function shrunk(covariance: Matrix): Matrix {
  const left = Matrix.mul(covariance, CORRELATIONS_LEFT);
  for (let i = 0; i < covariance.rows; i++) left.set(i, i, covariance.get(i, i));
  return left;
}

export const TRANSFORMS = { zca, ot, adain, shrinkage };
export type Transform = keyof typeof TRANSFORMS;

/** The map that gives a feature of `content` statistics those of `style`. */
export function affineMap(content: Statistics, style: Statistics, transform: Transform): AffineMap {
  const matrix = TRANSFORMS[transform](content.covariance, style.covariance);
  const moved = matrix.mmul(Matrix.columnVector(content.mean)).to1DArray();
  return { matrix, offset: style.mean.map((mean, i) => mean - moved[i]) };
}

/** The map applied to every pixel of a feature. */
export function applyAffine(map: AffineMap, feature: Feature): Feature {
  const { height, width, channels, values } = feature;
  const result = emptyFeature(height, width, channels);
  const matrix = Float64Array.from(map.matrix.to1DArray());
  for (let from = 0; from < values.length; from += channels) {
    for (let i = 0; i < channels; i++) {
      let sum = map.offset[i];
      const row = i * channels;
      for (let j = 0; j < channels; j++) sum += matrix[row + j] * values[from + j];
      result.values[from + i] = sum;
    }
  }
  return result;
}
