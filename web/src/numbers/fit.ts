/** How a look is fitted: by least squares in every cell of the grid. The same steps and constants as common/transfer/look.py. */
import type { Feature } from "./feature.ts";
import { gridPosition, gridSize, type GridSize, type Look, lumaOf, MAP_LENGTH } from "./look.ts";

// The grid and its fit, chosen by the table in docs/looks.md.
const CELLS = 48; // on the longer side
const BINS = 4; // of luma
const BLUR: Deviations = { space: 1, luma: 1 }; // of the sums, in cells and in bins
const MAP_BLUR: Deviations = { space: 1.3, luma: 0.5 }; // of the fitted maps
const RIDGE = 2e-3; // pull towards a plain gain, as a share of the pixels in a cell
const LARGEST_GAIN = 1.5; // without a bound it would explode where the content is black
const NOTHING_KNOWN = 1e-6; // pull towards the identity, in pixels; it decides only where there are none

/** Sums of one cell and bin: a 4x7 matrix, products of (red, green, blue, 1) with itself and with the result. */
const SUMS = 28;
const SUMS_ROW = 7;
/** Where in those sums the count of pixels is: 1 times 1. */
const COUNT = 3 * SUMS_ROW + 3;

interface Deviations {
  space: number;
  luma: number;
}

/** The look that makes `result` of `content`, both colours in [0, 1] and of one size. */
export function fitLook(content: Feature, result: Feature, cells = CELLS, bins = BINS): Look {
  const size = gridSize(content.height, content.width, cells, bins);
  const sums = blurred(splat(content, result, size), size, SUMS, BLUR);
  const maps = solve(sums);
  const counts = Float64Array.from({ length: maps.length / MAP_LENGTH }, (_, cell) => sums[cell * SUMS + COUNT]);
  return { ...size, maps: averaged(maps, counts, size, MAP_BLUR) };
}

/** Sums over the pixels of each cell and bin; a pixel counts in the nearest cell, and in the two bins around its luma. */
function splat(content: Feature, result: Feature, size: GridSize): Float64Array {
  const { height, width } = content;
  const sums = new Float64Array(size.rows * size.columns * size.bins * SUMS);
  const columnOf = Int32Array.from({ length: width }, (_, x) => nearest(x, width, size.columns));
  const terms = new Float64Array([0, 0, 0, 1]);
  const others = new Float64Array([0, 0, 0, 1, 0, 0, 0]);
  for (let y = 0; y < height; y++) {
    const row = nearest(y, height, size.rows) * size.columns;
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        terms[c] = others[c] = content.values[from + c];
        others[4 + c] = result.values[from + c];
      }
      const position = lumaOf(terms[0], terms[1], terms[2]) * (size.bins - 1);
      const bin = Math.min(Math.floor(position), size.bins - 2);
      const cell = ((row + columnOf[x]) * size.bins + bin) * SUMS;
      add(sums, cell, terms, others, 1 - (position - bin));
      add(sums, cell + SUMS, terms, others, position - bin);
    }
  }
  return sums;
}

function add(sums: Float64Array, cell: number, terms: Float64Array, others: Float64Array, weight: number): void {
  let at = cell;
  for (let i = 0; i < 4; i++) {
    const weighted = weight * terms[i];
    for (let j = 0; j < SUMS_ROW; j++) sums[at++] += weighted * others[j];
  }
}

/** The grid line that is nearest to pixel `index` of `size`; half way between two it is the second. */
function nearest(index: number, size: number, cells: number): number {
  return Math.floor(gridPosition(index, size, cells) + 0.5);
}

/** The maps that fit the sums best, their slopes drawn to each cell's gain: mean of the result over mean of the content. */
function solve(sums: Float64Array): Float64Array {
  const maps = new Float64Array((sums.length / SUMS) * MAP_LENGTH);
  const system = new Float64Array(SUMS);
  for (let cell = 0; cell < sums.length / SUMS; cell++) {
    system.set(sums.subarray(cell * SUMS, (cell + 1) * SUMS));
    const ones = 3 * SUMS_ROW;
    const ofContent = system[ones] + system[ones + 1] + system[ones + 2];
    const ofResult = system[ones + 4] + system[ones + 5] + system[ones + 6];
    const gain = Math.min(Math.max((ofResult + NOTHING_KNOWN) / (ofContent + NOTHING_KNOWN), 0), LARGEST_GAIN);
    const pull = RIDGE * system[COUNT];
    for (let i = 0; i < 3; i++) {
      system[i * SUMS_ROW + i] += pull + NOTHING_KNOWN;
      system[i * SUMS_ROW + 4 + i] += pull * gain + NOTHING_KNOWN;
    }
    system[COUNT] += NOTHING_KNOWN;
    eliminate(system);
    for (let i = 0; i < 4; i++) {
      for (let c = 0; c < 3; c++) maps[cell * MAP_LENGTH + 3 * i + c] = system[i * SUMS_ROW + 4 + c];
    }
  }
  return maps;
}

/** Gauss and Jordan's elimination of a 4x7 system, in place. It is positive definite, so the diagonal serves as pivots. */
function eliminate(system: Float64Array): void {
  for (let pivot = 0; pivot < 4; pivot++) {
    const pivotRow = pivot * SUMS_ROW;
    const scale = 1 / system[pivotRow + pivot];
    for (let j = pivot; j < SUMS_ROW; j++) system[pivotRow + j] *= scale;
    for (let i = 0; i < 4; i++) {
      if (i === pivot) continue;
      const factor = system[i * SUMS_ROW + pivot];
      for (let j = pivot; j < SUMS_ROW; j++) system[i * SUMS_ROW + j] -= factor * system[pivotRow + j];
    }
  }
}

/** Maps blurred over the grid, each counting as much as the pixels it was fitted to. */
function averaged(maps: Float64Array, counts: Float64Array, size: GridSize, deviations: Deviations): Float32Array {
  const weights = counts.map((count) => count + NOTHING_KNOWN);
  const weighted = maps.map((value, i) => value * weights[Math.floor(i / MAP_LENGTH)]);
  const sums = blurred(weighted, size, MAP_LENGTH, deviations);
  const weightSums = blurred(weights, size, 1, deviations);
  return Float32Array.from(sums, (value, i) => value / weightSums[Math.floor(i / MAP_LENGTH)]);
}

/** A grid of `length` numbers a cell and bin, blurred by Gaussians along rows, columns and bins, edges repeated. */
function blurred(grid: Float64Array, size: GridSize, length: number, deviations: Deviations): Float64Array {
  const { rows, columns, bins } = size;
  const alongRows = blurAlong(grid, rows, columns * bins * length, deviations.space);
  const alongColumns = blurAlong(alongRows, columns, bins * length, deviations.space);
  return blurAlong(alongColumns, bins, length, deviations.luma);
}

/** One axis blurred: it has `count` places that are `step` numbers apart. */
function blurAlong(grid: Float64Array, count: number, step: number, deviation: number): Float64Array {
  const reach = Math.ceil(4 * deviation);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / deviation) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const result = new Float64Array(grid.length);
  for (let block = 0; block < grid.length; block += count * step) {
    for (let place = 0; place < count; place++) {
      const to = block + place * step;
      for (let offset = -reach; offset <= reach; offset++) {
        const other = Math.min(Math.max(place + offset, 0), count - 1);
        const from = block + other * step;
        const weight = weights[offset + reach] / total;
        for (let i = 0; i < step; i++) result[to + i] += weight * grid[from + i];
      }
    }
  }
  return result;
}
