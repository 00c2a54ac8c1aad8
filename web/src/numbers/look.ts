/**
 * A look: the result of a style transfer as a small grid of affine colour maps, in space and in the content's luma.
 *
 * Everything that the page's sliders do is a weighted mean of looks: styles mixed, a strength, a part of a grade.
 */

/** Weights of red, green and blue in luma (ITU-R BT.601). */
export const LUMA = [0.299, 0.587, 0.114] as const;

/** Numbers in one map: four rows (red, green, blue, 1) by three columns (the new red, green, blue). */
export const MAP_LENGTH = 12;

export interface Look {
  rows: number;
  columns: number;
  bins: number;
  /** `maps[(((y * columns + x) * bins + b) * 4 + i) * 3 + c]`: how much of input `i` (red, green, blue, 1) colour `c` takes. */
  maps: Float32Array;
}

export interface GridSize {
  rows: number;
  columns: number;
  bins: number;
}

/** Rows and columns of nearly square cells, `cells` on the longer side. */
export function gridSize(height: number, width: number, cells: number, bins: number): GridSize {
  const longer = Math.max(height, width);
  const along = (side: number) => Math.max(2, Math.round((cells * side) / longer));
  return { rows: along(height), columns: along(width), bins };
}

/** The look that changes nothing. */
export function identityLook({ rows, columns, bins }: GridSize): Look {
  const maps = new Float32Array(rows * columns * bins * MAP_LENGTH);
  for (let from = 0; from < maps.length; from += MAP_LENGTH) {
    for (let c = 0; c < 3; c++) maps[from + 3 * c + c] = 1;
  }
  return { rows, columns, bins, maps };
}

/** The weighted mean of looks on grids of one size; what they make of a photo is the same mean of their results. */
export function mixLooks(looks: readonly Look[], weights: readonly number[]): Look {
  const { rows, columns, bins } = looks[0];
  return {
    rows,
    columns,
    bins,
    maps: mixArrays(
      looks.map((look) => look.maps),
      weights,
    ),
  };
}

/** The weighted sum of arrays of one length. */
export function mixArrays(arrays: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const result = new Float32Array(arrays[0].length);
  arrays.forEach((array, index) => {
    const weight = weights[index];
    if (weight === 0) return;
    for (let i = 0; i < result.length; i++) result[i] += weight * array[i];
  });
  return result;
}

/** Where pixel `index` of `size` lies, from grid line 0 to `cells - 1`. */
export function gridPosition(index: number, size: number, cells: number): number {
  return (index * (cells - 1)) / Math.max(size - 1, 1);
}

export function lumaOf(red: number, green: number, blue: number): number {
  return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
}
