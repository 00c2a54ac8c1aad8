/** What a photo's colours are like, in a few hundred numbers: all that a grade needs of a photo. As in Python's descriptor. */
import { Matrix } from "ml-matrix";
import type { Feature } from "./feature.ts";
import { matrixPower } from "./transforms.ts";

/** Side in pixels of the square copy that everything is measured on. */
export const DESCRIPTOR_SIDE = 64;
/** Levels at which the sorted values of a channel are read off. */
const QUANTILES = [0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99, 1];
/** Bins of the histogram along L, a and b. */
const BINS = [6, 7, 7];
/** The histogram looks at one pixel of so many. */
const HISTOGRAM_STEP = 3;
/** Lab is divided by this, so that all numbers are near [-1, 1]. */
const LAB_SCALE = 100;
/** Chroma at which the histogram's scale of a and b is half way out; near grey its bins are narrow. */
const HALF_CHROMA = 25;
/** The bent chroma, from -1 to 1, is divided by this to reach from the first bin to the last. */
const CHROMA_RANGE = 1.6;
/** Spread, in units of `LAB_SCALE`, below which a channel counts as having none. */
const SMALLEST_SPREAD = 1e-3;
/** Added to the variance of RGB in every direction, so that a photo without colour can be transported too. */
const SMALLEST_VARIANCE = 1e-4;
/** D65's white in CIE XYZ, as OpenCV has it. */
const WHITE = [0.950456, 1, 1.088754];
const TO_XYZ = [
  [0.412453, 0.35758, 0.180423],
  [0.212671, 0.71516, 0.072169],
  [0.019334, 0.119193, 0.950227],
];

/** Mean `(3)` and covariance `(3, 3)` of a photo's RGB. */
export interface Moments {
  mean: number[];
  covariance: Matrix;
}

/** The descriptor's numbers that a formula gives: means, spreads, correlations, quantiles, a histogram. */
export function colourStatistics(copy: Feature): Float32Array {
  const colours = channelsOf(copy);
  const lab = labOf(colours);
  const { mean, covariance } = momentsOf(lab);
  const spread = [0, 1, 2].map((c) => Math.sqrt(covariance.get(c, c)));
  const correlations = [
    [0, 1],
    [0, 2],
    [1, 2],
  ].map(([i, j]) => {
    return covariance.get(i, j) / (Math.max(spread[i], SMALLEST_SPREAD) * Math.max(spread[j], SMALLEST_SPREAD));
  });
  const quantiles = [...lab, ...colours].flatMap((channel) => {
    const ordered = channel.slice().sort();
    return QUANTILES.map((level) => ordered[Math.round(level * (ordered.length - 1))]);
  });
  return Float32Array.from([...mean, ...spread, ...correlations, ...quantiles, ...histogram(lab)]);
}

/** Mean and covariance in RGB, which `transport` needs. */
export function moments(copy: Feature): Moments {
  return momentsOf(channelsOf(copy));
}

/**
 * The linear map that moves mean and covariance from one photo's to another's, each colour as little as can be: Monge's
 * problem between Gaussians (Pitié & Kokaram 2007). Twelve numbers: a 3x3 matrix for a colour in a row, and what is added.
 */
export function transport(content: Moments, style: Moments): Float32Array {
  const [from, to] = [content, style].map(({ covariance }) => Matrix.add(covariance, Matrix.eye(3).mul(SMALLEST_VARIANCE)));
  const root = matrixPower(from, 0.5, 0);
  const inverse = matrixPower(from, -0.5, 0);
  const matrix = inverse.mmul(matrixPower(root.mmul(to).mmul(root), 0.5, 0)).mmul(inverse);
  const moved = Matrix.rowVector(content.mean).mmul(matrix).to1DArray();
  return Float32Array.from([...matrix.to1DArray(), ...style.mean.map((mean, c) => mean - moved[c])]);
}

/** Red, green and blue of all pixels. */
function channelsOf({ values }: Feature): Float32Array[] {
  return [0, 1, 2].map((c) => Float32Array.from({ length: values.length / 3 }, (_, i) => values[3 * i + c]));
}

function momentsOf(channels: Float32Array[]): Moments {
  const count = channels[0].length;
  const mean = channels.map((channel) => channel.reduce((sum, value) => sum + value, 0) / count);
  const covariance = new Matrix(3, 3);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += (channels[i][k] - mean[i]) * (channels[j][k] - mean[j]);
      covariance.set(i, j, sum / count);
    }
  }
  return { mean, covariance };
}

/** L, a and b of sRGB colours, divided by `LAB_SCALE`. */
function labOf(colours: Float32Array[]): Float32Array[] {
  const count = colours[0].length;
  const lab = [0, 1, 2].map(() => new Float32Array(count));
  for (let k = 0; k < count; k++) {
    const linear = colours.map((channel) => linearLight(channel[k]));
    const ratios = TO_XYZ.map((row, i) => (row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]) / WHITE[i]);
    const [x, y, z] = ratios.map((ratio) => (ratio > 0.008856 ? Math.cbrt(ratio) : 7.787 * ratio + 16 / 116));
    lab[0][k] = (116 * y - 16) / LAB_SCALE;
    lab[1][k] = (500 * (x - y)) / LAB_SCALE;
    lab[2][k] = (200 * (y - z)) / LAB_SCALE;
  }
  return lab;
}

function linearLight(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** Root of the share of pixels in every bin of Lab, shared out linearly between neighbours. */
function histogram(lab: Float32Array[]): number[] {
  const [lights, greenReds, blueYellows] = BINS;
  const shares = new Float64Array(lights * greenReds * blueYellows);
  let count = 0;
  for (let k = 0; k < lab[0].length; k += HISTOGRAM_STEP, count++) {
    const light = neighbours(lab[0][k], lights);
    const greenRed = neighbours(bent(lab[1][k]), greenReds);
    const blueYellow = neighbours(bent(lab[2][k]), blueYellows);
    for (const l of light) {
      for (const g of greenRed) {
        for (const b of blueYellow) {
          shares[(l.bin * greenReds + g.bin) * blueYellows + b.bin] += l.weight * g.weight * b.weight;
        }
      }
    }
  }
  return Array.from(shares, (share) => Math.sqrt(share / count));
}

/** A chroma as a place from 0 to 1, nearer grey drawn out. */
function bent(chroma: number): number {
  const colour = chroma * LAB_SCALE;
  return 0.5 + colour / (Math.abs(colour) + HALF_CHROMA) / CHROMA_RANGE;
}

/** The two of so many bins that a place in [0, 1] is shared out between. */
function neighbours(place: number, bins: number): { bin: number; weight: number }[] {
  const position = Math.min(Math.max(place, 0), 1) * (bins - 1);
  const low = Math.min(Math.floor(position), bins - 2);
  return [
    { bin: low, weight: low + 1 - position },
    { bin: low + 1, weight: position - low },
  ];
}
